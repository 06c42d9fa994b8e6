// Instants as people say them; the exact one in UTC is under the pointer.
import { useMinuteAfter, useNow } from '../lib/clock'
import { ago, exact, instant } from '../lib/format'

/** `3 minutes ago`. */
export function Ago({ at }: { at: string }) {
  const now = useMinuteAfter(Date.parse(at))
  return <time dateTime={at} title={exact(at)}>{ago(at, now)}</time>
}

/** The same, to the second. */
export function AgoNow({ at }: { at: string }) {
  const now = useNow()
  return <time dateTime={at} title={exact(at)}>{ago(at, now)}</time>
}

/** The date and the time in the reader's zone. */
export function At({ at }: { at: string }) {
  return <time dateTime={at} title={exact(at)} className="nowrap">{instant(at)}</time>
}
