// What only runs while somebody looks: browsers open six connections to a master at most, and streams of hidden tabs would take them all.

/** Starts something when the page is in view and stops it when it is not; the answer ends both. */
export function whileVisible(start: () => () => void): () => void {
  let stop: (() => void) | undefined
  function turn() {
    if (document.visibilityState === 'visible') {
      stop ??= start()
    } else {
      stop?.()
      stop = undefined
    }
  }
  turn()
  document.addEventListener('visibilitychange', turn)
  return () => {
    document.removeEventListener('visibilitychange', turn)
    stop?.()
  }
}
