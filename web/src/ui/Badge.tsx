// A state as a word, a colour and a shape: nobody has to tell colours apart.
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle'

const SHAPES: Record<Tone, string> = {
  good: 'm3.5 8.5 3 3 6-7',
  busy: 'M8 2.5a5.5 5.5 0 1 1-5.2 3.7',
  warn: 'M8 3v6m0 3.5v.01',
  bad: 'm4 4 8 8m0-8-8 8',
  idle: 'M4 8h8',
}

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className={`badge tone-${tone}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round">
        <path d={SHAPES[tone]} />
      </svg>
      {children}
    </span>
  )
}
