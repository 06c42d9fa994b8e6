// How far something is; a bar that only moves when nobody knows how much there is.
export function Progress({ part, name, text }: { part: number | undefined; name: string; text: string }) {
  const percent = part === undefined ? undefined : Math.min(100, Math.max(0, part * 100))
  return (
    <div className={percent === undefined ? 'bar open' : 'bar'} role="progressbar" aria-label={name} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent === undefined ? undefined : Math.round(percent)} aria-valuetext={text}>
      <span style={percent === undefined ? undefined : { width: `${percent}%` }} />
    </div>
  )
}
