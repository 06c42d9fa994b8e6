// A remark in the colour of what it means.
import type { ReactNode } from 'react'
import type { Tone } from './Badge'
import { Icon, type IconName } from './Icon'

const ICONS: Record<Tone, IconName> = { good: 'check', busy: 'clock', warn: 'warning', bad: 'warning', idle: 'info' }

export function Note({ tone, role, children }: { tone: Tone; role?: 'alert' | 'status'; children: ReactNode }) {
  return (
    <div className={`note tone-${tone}`} role={role}>
      <Icon name={ICONS[tone]} />
      <div className="note-words">{children}</div>
    </div>
  )
}
