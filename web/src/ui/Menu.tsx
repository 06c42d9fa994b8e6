// A button that opens a list of actions.
import { Menu as Base } from '@base-ui/react/menu'
import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon'

export interface Action {
  label: string
  icon?: IconName
  danger?: boolean
  disabled?: boolean
  act: () => void
}

export function Menu({ name, actions, children, look = 'button plain only-icon' }: { name: string; actions: readonly Action[]; children?: ReactNode; look?: string }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger className={look} aria-label={name} title={name}>{children ?? <Icon name="more" />}</Base.Trigger>
      <Base.Portal>
        <Base.Positioner className="menu-place" sideOffset={6} align="end">
          <Base.Popup className="menu">
            {actions.map((action) => (
              <Base.Item key={action.label} className={action.danger ? 'menu-item danger' : 'menu-item'} disabled={action.disabled ?? false} onClick={() => { action.act() }}>
                {action.icon && <Icon name={action.icon} />}
                {action.label}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
