// What stands in an address: read with care, since people type addresses and old ones are kept.

/** A text, if it is one and not empty. */
export function text(raw: unknown): string | undefined {
  if (typeof raw === 'number') return String(raw)
  return typeof raw === 'string' && raw !== '' ? raw : undefined
}

/** A whole number that is not negative. */
export function number(raw: unknown): number | undefined {
  const value = typeof raw === 'string' && raw !== '' ? Number(raw) : raw
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** One of the words that may stand there. */
export function choice<const T extends readonly string[]>(raw: unknown, words: T): T[number] | undefined {
  return words.find((word) => word === raw)
}

/** Whether every word of a search stands in one of the texts, whatever its case. */
export function matches(query: string | undefined, texts: readonly (string | null | undefined)[]): boolean {
  if (!query) return true
  const whole = texts.filter(Boolean).join('\n').toLocaleLowerCase()
  return query.toLocaleLowerCase().split(/\s+/).every((word) => whole.includes(word))
}
