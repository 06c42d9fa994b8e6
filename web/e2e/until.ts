// Waits on a condition, with a limit.

const APART_MS = 100

/** Asks until there is a true answer; a refusal while it is not is no end. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, limitMs = 60_000): Promise<T> {
  const end = Date.now() + limitMs
  let last: unknown
  while (Date.now() < end) {
    try {
      const answer = await ask()
      if (answer) return answer
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => { setTimeout(resolve, APART_MS) })
  }
  throw new Error(`it did not come within ${limitMs / 1000} s: ${what}`, { cause: last })
}
