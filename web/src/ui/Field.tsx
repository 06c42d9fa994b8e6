// One input with its label, its hint and what is wrong with it, tied together for screen readers.
import { useId, type ComponentProps } from 'react'

type Props = Omit<ComponentProps<'input'>, 'id' | 'className'> & { label: string; hint?: string; wrong?: string | undefined }

export function Field({ label, hint, wrong, ...input }: Props) {
  const id = useId()
  const about = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ')
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input {...input} id={id} aria-invalid={wrong !== undefined} aria-describedby={about || undefined} />
      {hint && <span id={`${id}-hint`} className="quiet small">{hint}</span>}
      {wrong && <span id={`${id}-wrong`} className="wrong">{wrong}</span>}
    </div>
  )
}
