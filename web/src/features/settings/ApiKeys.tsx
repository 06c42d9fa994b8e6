// Keys for scripts, and what they may do.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf, type Schemas } from '../../api/client'
import { useApiKeyActions, useApiKeys, useSession } from '../../api/people'
import { Button } from '../../ui/Button'
import { CopyLine } from '../../ui/Copy'
import { Confirm, Dialog } from '../../ui/Dialog'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { SelectField, TextField } from '../../ui/Field'
import { Note } from '../../ui/Note'
import { Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'

type Key = Schemas['ApiKey']
const ROLES = ['viewer', 'operator', 'admin'] as const
const DAY_MS = 86_400_000
const LIVES = ['30', '90', '365', ''] as const

export function ApiKeys() {
  const { t } = useTranslation()
  const keys = useApiKeys()
  const [adding, setAdding] = useState(false)
  const [gone, setGone] = useState<Key>()
  const { remove } = useApiKeyActions()
  const columns: Column<Key>[] = [
    { name: t('settings.keys.name'), kind: 'lead', cell: (key) => <span className="strong">{key.name}</span> },
    { name: t('settings.role'), kind: 'aside', cell: (key) => t(`role.${key.role}`) },
    { name: t('settings.keys.used'), cell: (key) => (key.lastUsedAt ? <Ago at={key.lastUsedAt} /> : <span className="quiet">{t('never')}</span>) },
    { name: t('settings.keys.expires'), cell: (key) => (key.expiresAt ? <Ago at={key.expiresAt} /> : <span className="quiet">{t('never')}</span>) },
    { name: t('settings.created'), cell: (key) => <Ago at={key.createdAt} /> },
    { name: t('actions'), kind: 'act', cell: (key) => <Button look="plain" icon="trash" aria-label={t('settings.keys.removeOf', { name: key.name })} onClick={() => { setGone(key) }}>{t('remove')}</Button> },
  ]
  return (
    <Section title={t('settings.tabs.keys')} beside={<Button icon="plus" look="main" onClick={() => { setAdding(true) }}>{t('settings.keys.add')}</Button>} bare>
      {keys.isPending && <Skeleton />}
      {keys.error && <div className="section-body"><Failure error={keys.error} retry={() => keys.refetch()} /></div>}
      {keys.data?.length === 0 && <Empty icon="key" title={t('settings.keys.empty')}>{t('settings.keys.emptyLead')}</Empty>}
      {keys.data && keys.data.length > 0 && <Table name={t('settings.tabs.keys')} columns={columns} rows={keys.data} id={(key) => key.id} />}
      {adding && <AddKey onClose={() => { setAdding(false) }} />}
      {gone && (
        <Confirm open onClose={() => { setGone(undefined) }} title={t('settings.keys.removeTitle')} action={t('remove')} busy={remove.isPending} error={remove.error} onConfirm={() => { remove.mutate(gone.id, { onSuccess: () => { setGone(undefined) } }) }}>
          <p>{t('settings.keys.removeLead', { name: gone.name })}</p>
        </Confirm>
      )}
    </Section>
  )
}

function AddKey({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const mine = useSession().data?.role ?? 'viewer'
  const [name, setName] = useState('')
  const [role, setRole] = useState<Schemas['Role']>('viewer')
  const [days, setDays] = useState<(typeof LIVES)[number]>('90')
  const { add } = useApiKeyActions()
  const allowed = ROLES.slice(0, ROLES.indexOf(mine) + 1)
  const wrong = fieldsOf(add.error)
  function submit() {
    add.mutate({ name, role, expiresAt: days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString() })
  }
  return (
    <Dialog open onClose={onClose} title={t('settings.keys.add')}>
      {add.data ? (
        <>
          <Note tone="warn"><p>{t('settings.keys.once')}</p></Note>
          <CopyLine text={add.data.key} name={t('settings.keys.key')} />
          <div className="dialog-actions"><Button look="main" onClick={onClose}>{t('close')}</Button></div>
        </>
      ) : (
        <form className="stack" onSubmit={(event) => { event.preventDefault(); submit() }}>
          <TextField label={t('settings.keys.name')} hint={t('settings.keys.nameHint')} value={name} onValue={setName} required wrong={wrong.get('name')} />
          <div className="field-grid">
            <SelectField label={t('settings.role')} hint={t(`settings.roleHint.${role}`)} value={role} options={allowed.map((value) => ({ value, label: t(`role.${value}`) }))} onValue={setRole} />
            <SelectField label={t('settings.keys.life')} value={days} options={LIVES.map((value) => ({ value, label: value === '' ? t('settings.keys.forever') : t('settings.keys.days', { count: Number(value) }) }))} onValue={setDays} />
          </div>
          {add.error && <Failure error={add.error} />}
          <div className="dialog-actions"><Button onClick={onClose}>{t('cancel')}</Button><Button type="submit" look="main" busy={add.isPending}>{t('settings.keys.make')}</Button></div>
        </form>
      )}
    </Dialog>
  )
}
