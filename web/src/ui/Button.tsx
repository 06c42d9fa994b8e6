// What is pressed: buttons, and links that look like them.
import { createLink } from '@tanstack/react-router'
import type { ComponentProps } from 'react'
import { Icon, type IconName } from './Icon'

type Look = 'normal' | 'main' | 'plain' | 'danger'

function classes(look: Look, more?: string): string {
  return ['button', look === 'normal' ? '' : look, more ?? ''].filter(Boolean).join(' ')
}

type ButtonProps = ComponentProps<'button'> & { look?: Look; icon?: IconName | undefined; busy?: boolean }

export function Button({ look = 'normal', icon, busy = false, disabled, children, className, type = 'button', ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} className={classes(look, className)} disabled={disabled === true || busy} data-busy={busy || undefined} aria-busy={busy || undefined}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A button with nothing but an icon; its name is for screen readers and for the pointer. */
export function IconButton({ icon, name, look = 'plain', ...rest }: Omit<ButtonProps, 'children' | 'icon'> & { icon: IconName; name: string }) {
  return <Button {...rest} look={look} icon={icon} className="only-icon" aria-label={name} title={name} />
}

type LinkProps = ComponentProps<'a'> & { look?: Look; icon?: IconName }

function PlainLink({ look = 'normal', icon, children, className, ...rest }: LinkProps) {
  return (
    <a {...rest} className={classes(look, className)}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  )
}

/** A link of the router that looks like a button. */
export const ButtonLink = createLink(PlainLink)
