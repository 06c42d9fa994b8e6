// Inputs with their label, hint and what is wrong with them, tied together for screen readers.
import { useId, type ComponentProps, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Icon, type IconName } from './Icon'

interface Around {
  label: string
  hint?: string | undefined
  wrong?: string | undefined
}

function Frame({ id, label, hint, wrong, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {hint && <span id={`${id}-hint`} className="hint">{hint}</span>}
      {wrong && <span id={`${id}-wrong`} className="wrong">{wrong}</span>}
    </div>
  )
}

function tied(id: string, { hint, wrong }: Around) {
  const about = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ')
  return { id, 'aria-invalid': wrong !== undefined, 'aria-describedby': about || undefined }
}

type Text = Omit<ComponentProps<'input'>, 'id' | 'className' | 'value' | 'onChange'> & Around & { value?: string; onValue?: (text: string) => void }

export function TextField({ label, hint, wrong, value, onValue, ...input }: Text) {
  const id = useId()
  return (
    <Frame id={id} label={label} hint={hint} wrong={wrong}>
      <input {...input} {...tied(id, { label, hint, wrong })} {...(value !== undefined && { value })} onChange={(event) => { onValue?.(event.target.value) }} />
    </Frame>
  )
}

export function AreaField({ label, hint, wrong, value, onValue, rows = 3, placeholder }: Around & { value: string; onValue: (text: string) => void; rows?: number; placeholder?: string }) {
  const id = useId()
  return (
    <Frame id={id} label={label} hint={hint} wrong={wrong}>
      <textarea {...tied(id, { label, hint, wrong })} rows={rows} value={value} placeholder={placeholder} spellCheck={false} onChange={(event) => { onValue(event.target.value) }} />
    </Frame>
  )
}

/** A whole number; empty is zero. */
export function CountField({ label, hint, wrong, value, onValue }: Around & { value: number; onValue: (count: number) => void }) {
  const id = useId()
  return (
    <Frame id={id} label={label} hint={hint} wrong={wrong}>
      <input {...tied(id, { label, hint, wrong })} type="number" min={0} step={1} inputMode="numeric" value={value} onChange={(event) => { onValue(Math.max(0, Math.floor(Number(event.target.value) || 0))) }} />
    </Frame>
  )
}

export interface Option<T extends string> {
  value: T
  label: string
}

export function SelectField<T extends string>({ label, hint, wrong, value, options, onValue }: Around & { value: T; options: readonly Option<T>[]; onValue: (value: T) => void }) {
  const id = useId()
  return (
    <Frame id={id} label={label} hint={hint} wrong={wrong}>
      <select {...tied(id, { label, hint, wrong })} value={value} onChange={(event) => { const found = options.find((option) => option.value === event.target.value); if (found) onValue(found.value) }}>
        {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
      </select>
    </Frame>
  )
}

/** A choice above a list, without a visible label. */
export function Filter<T extends string>({ name, value, options, onValue }: { name: string; value: T; options: readonly Option<T>[]; onValue: (value: T) => void }) {
  return (
    <select className="select" aria-label={name} value={value} onChange={(event) => { const found = options.find((option) => option.value === event.target.value); if (found) onValue(found.value) }}>
      {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
    </select>
  )
}

export function CheckField({ label, hint, checked, onChecked, disabled = false }: { label: string; hint?: string; checked: boolean; onChecked: (checked: boolean) => void; disabled?: boolean }) {
  const id = useId()
  return (
    <label className="check" htmlFor={id}>
      <input id={id} type="checkbox" checked={checked} disabled={disabled} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => { onChecked(event.target.checked) }} />
      <span>{label}</span>
      {hint && <span className="hint" id={`${id}-hint`}>{hint}</span>}
    </label>
  )
}

interface Choice<T extends string> {
  value: T
  label: string
  hint?: string
  icon?: IconName
}

/** One of a few, as cards. */
export function Choices<T extends string>({ label, value, options, onValue }: { label: string; value: T | undefined; options: readonly Choice<T>[]; onValue: (value: T) => void }) {
  const name = useId()
  return (
    <fieldset className="field">
      <legend className="label">{label}</legend>
      <div className="choices">
        {options.map((option) => (
          <label key={option.value} className="choice">
            <input type="radio" name={name} value={option.value} checked={option.value === value} onChange={() => { onValue(option.value) }} />
            <span className="choice-name">{option.icon && <Icon name={option.icon} />}{option.label}</span>
            {option.hint && <span className="small quiet">{option.hint}</span>}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

export function SearchField({ value, onValue, name }: { value: string; onValue: (text: string) => void; name?: string }) {
  const { t } = useTranslation()
  return (
    <div className="search">
      <Icon name="search" />
      <input className="input" type="search" aria-label={name ?? t('search')} placeholder={name ?? t('search')} value={value} onChange={(event) => { onValue(event.target.value) }} />
    </div>
  )
}
