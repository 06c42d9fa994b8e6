// The settings of one kind of storage, as the catalogue lists them.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Target, TargetType } from '../../api/client'
import { sentence } from '../../lib/format'
import { Button, IconButton } from '../../ui/Button'
import { AreaField, SelectField, TextField } from '../../ui/Field'
import { isLong, labelOf, type Field, type Values } from './fields'

interface Props {
  type: TargetType
  values: Values
  onValue: (name: string, value: string) => void
  wrong: ReadonlyMap<string, string>
  target?: Target
}

export function KindFields({ type, values, onValue, wrong, target }: Props) {
  const { t } = useTranslation()
  const usual = type.fields.filter((field) => !field.advanced)
  const rest = type.fields.filter((field) => field.advanced)
  const one = (field: Field) => <One key={field.name} field={field} value={values[field.name] ?? ''} onValue={(value) => { onValue(field.name, value) }} wrong={wrong.get(`config.${field.name}`) ?? wrong.get(field.name)} kept={target?.secretsSet.includes(field.name) ?? false} />
  return (
    <div className="stack">
      <div className="field-grid">{usual.map(one)}</div>
      {rest.length > 0 && <details className="fold"><summary>{t('form.advanced')}</summary><div className="field-grid">{rest.map(one)}</div></details>}
    </div>
  )
}

function One({ field, value, onValue, wrong, kept }: { field: Field; value: string; onValue: (value: string) => void; wrong: string | undefined; kept: boolean }) {
  const { t, i18n } = useTranslation()
  // Names that many kinds share have words of their own; the rest are said as the catalogue has them.
  const known = `storage.field.${field.name}`
  const name = i18n.exists(known) ? t(known as 'storage.field.bucket') : labelOf(field.name)
  const label = field.required ? name : t('storage.optionalField', { name })
  const hint = kept ? t('storage.secretKept') : sentence(field.help)
  if (field.options && field.options.length > 0) {
    const options = [...(field.required || field.default ? [] : ['']), ...field.options]
    return <SelectField label={label} hint={hint} value={value} options={options.map((option) => ({ value: option, label: option === '' ? t('storage.unset') : option }))} onValue={onValue} wrong={wrong} />
  }
  if (isLong(field)) return <AreaField label={label} hint={hint} value={value} onValue={onValue} wrong={wrong} />
  return <TextField label={label} hint={hint} value={value} onValue={onValue} wrong={wrong} type={field.secret ? 'password' : 'text'} autoComplete={field.secret ? 'new-password' : 'off'} autoCapitalize="none" spellCheck={false} required={field.required && !kept} />
}

/** Further settings of rclone's backend, for kinds that take any. */
export function MoreOptions({ options, onOptions }: { options: Values; onOptions: (options: Values) => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  return (
    <details className="fold">
      <summary>{t('storage.options.title')}</summary>
      <div className="stack">
        <p className="quiet small">{t('storage.options.lead')}</p>
        {Object.entries(options).map(([key, text]) => (
          <div key={key} className="row"><code>{key}</code><span className="quiet">{key.startsWith('secret.') ? '••••••' : text}</span><IconButton icon="close" name={t('storage.options.drop', { name: key })} onClick={() => { onOptions(Object.fromEntries(Object.entries(options).filter(([one]) => one !== key))) }} /></div>
        ))}
        <div className="field-grid">
          <TextField label={t('storage.options.name')} hint={t('storage.options.nameHint')} value={name} onValue={setName} spellCheck={false} autoCapitalize="none" />
          <TextField label={t('storage.options.value')} value={value} onValue={setValue} spellCheck={false} type={name.startsWith('secret.') ? 'password' : 'text'} />
        </div>
        <div><Button icon="plus" disabled={!/^(option|secret)\.\w+$/.test(name)} onClick={() => { onOptions({ ...options, [name]: value }); setName(''); setValue('') }}>{t('add')}</Button></div>
      </div>
    </details>
  )
}
