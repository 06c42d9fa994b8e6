// Values over time as bars, with what the highest of them means.
import { Link } from '@tanstack/react-router'
import type { Tone } from '../Badge'
import './charts.css'

export interface Bar {
  key: string | number
  value: number
  title: string
  tone?: Tone
  record?: number
}

/** Fewer bars than this stand at the right, as wide as they would be among others. */
const LEAST = 14

export function Bars({ bars, name, scale, from, to }: { bars: readonly Bar[]; name: string; scale: (value: number) => string; from: string; to: string }) {
  const top = Math.max(...bars.map((bar) => bar.value), 0)
  const height = (value: number) => `${top === 0 ? 0 : Math.max(1.5, (value / top) * 100)}%`
  return (
    <figure className="bars" role="group" aria-label={name}>
      <div className="bars-scale" aria-hidden="true"><span>{scale(top)}</span><span>{scale(top / 2)}</span><span>0</span></div>
      <div className="bars-field">
        {Array.from({ length: Math.max(0, LEAST - bars.length) }, (_, place) => <span key={`none${place}`} className="mark-none" />)}
        {bars.map((bar) => {
          const looks = { className: bar.tone && `mark-${bar.tone}`, style: { height: height(bar.value) }, title: bar.title }
          return bar.record === undefined
            ? <span key={bar.key} {...looks} role="img" aria-label={bar.title} />
            : <Link key={bar.key} {...looks} to="/records/$id" params={{ id: String(bar.record) }} aria-label={bar.title} />
        })}
      </div>
      <div className="bars-ends"><span>{bars.length >= LEAST && from}</span><span>{to}</span></div>
    </figure>
  )
}
