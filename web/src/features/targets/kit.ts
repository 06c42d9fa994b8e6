// Recovery kits: their keys, whatever else stands around them.

/** The private keys in a text, each once. */
export function keysIn(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter((word) => word.startsWith('AGE-SECRET-KEY-1')))]
}
