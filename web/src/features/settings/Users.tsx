// Who may sign in, and as what.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf, type Schemas } from '../../api/client'
import { useSession, useUserActions, useUsers } from '../../api/people'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Confirm, Dialog } from '../../ui/Dialog'
import { Failure, useReason } from '../../ui/Failure'
import { Choices, Filter, TextField } from '../../ui/Field'
import { Menu } from '../../ui/Menu'
import { Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'
import { say } from '../../ui/Toasts'

type User = Schemas['User']
const ROLES = ['viewer', 'operator', 'admin'] as const

export function Users() {
  const { t } = useTranslation()
  const users = useUsers()
  const me = useSession().data?.userId
  const reason = useReason()
  const [asked, setAsked] = useState<'add' | User>()
  const [gone, setGone] = useState<User>()
  const { edit, remove } = useUserActions()
  const refuse = (error: Error) => { say(reason(error)) }
  const columns: Column<User>[] = [
    { name: t('session.username'), kind: 'lead', cell: (user) => <span className="strong">{user.username}{user.id === me && <span className="quiet"> {t('settings.users.you')}</span>}</span> },
    { name: t('settings.role'), kind: 'aside', cell: (user) => <Filter name={t('settings.users.roleOf', { name: user.username })} value={user.role} options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))} onValue={(role) => { edit.mutate({ id: user.id, body: { role } }, { onError: refuse }) }} /> },
    { name: t('settings.users.state'), cell: (user) => <Badge tone={user.disabled ? 'idle' : 'good'}>{t(user.disabled ? 'settings.users.disabled' : 'settings.users.enabled')}</Badge> },
    { name: t('settings.created'), cell: (user) => <Ago at={user.createdAt} /> },
    { name: t('actions'), kind: 'act', cell: (user) => (
      <Menu
        name={t('settings.users.actions', { name: user.username })}
        actions={[
          { label: t('settings.users.password'), icon: 'key', act: () => { setAsked(user) } },
          { label: t(user.disabled ? 'settings.users.enable' : 'settings.users.disable'), icon: user.disabled ? 'check' : 'pause', act: () => { edit.mutate({ id: user.id, body: { disabled: !user.disabled } }, { onError: refuse }) } },
          { label: t('remove'), icon: 'trash', danger: true, act: () => { setGone(user) } },
        ]}
      />
    ) },
  ]
  return (
    <Section title={t('settings.tabs.users')} beside={<Button icon="plus" look="main" onClick={() => { setAsked('add') }}>{t('settings.users.add')}</Button>} bare>
      {users.isPending && <Skeleton />}
      {users.error && <div className="section-body"><Failure error={users.error} retry={() => users.refetch()} /></div>}
      {users.data && <Table name={t('settings.tabs.users')} columns={columns} rows={users.data} id={(user) => user.id} />}
      {asked === 'add' && <AddUser onClose={() => { setAsked(undefined) }} />}
      {typeof asked === 'object' && <ResetPassword user={asked} onClose={() => { setAsked(undefined) }} />}
      {gone && (
        <Confirm open onClose={() => { setGone(undefined) }} title={t('settings.users.removeTitle')} action={t('remove')} typed={gone.username} busy={remove.isPending} error={remove.error} onConfirm={() => { remove.mutate(gone.id, { onSuccess: () => { setGone(undefined) } }) }}>
          <p>{t('settings.users.removeLead')}</p>
        </Confirm>
      )}
    </Section>
  )
}

function AddUser({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Schemas['Role']>('viewer')
  const { add } = useUserActions()
  const wrong = fieldsOf(add.error)
  return (
    <Dialog open onClose={onClose} title={t('settings.users.add')}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); add.mutate({ username, password, role }, { onSuccess: onClose }) }}>
        <TextField label={t('session.username')} value={username} onValue={setUsername} autoComplete="off" autoCapitalize="none" spellCheck={false} required wrong={wrong.get('username')} />
        <TextField label={t('session.password')} hint={t('session.passwordHint')} type="password" autoComplete="new-password" value={password} onValue={setPassword} required wrong={wrong.get('password')} />
        <Choices label={t('settings.role')} value={role} onValue={setRole} options={ROLES.map((value) => ({ value, label: t(`role.${value}`), hint: t(`settings.roleHint.${value}`) }))} />
        {add.error && <Failure error={add.error} />}
        <div className="dialog-actions"><Button onClick={onClose}>{t('cancel')}</Button><Button type="submit" look="main" busy={add.isPending}>{t('add')}</Button></div>
      </form>
    </Dialog>
  )
}

function ResetPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation()
  const [password, setPassword] = useState('')
  const { edit } = useUserActions()
  return (
    <Dialog open onClose={onClose} title={t('settings.users.passwordOf', { name: user.username })}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); edit.mutate({ id: user.id, body: { password } }, { onSuccess: onClose }) }}>
        <p className="quiet">{t('settings.users.passwordLead')}</p>
        <TextField label={t('settings.password.new')} hint={t('session.passwordHint')} type="password" autoComplete="new-password" value={password} onValue={setPassword} required wrong={fieldsOf(edit.error).get('password')} />
        {edit.error && <Failure error={edit.error} />}
        <div className="dialog-actions"><Button onClick={onClose}>{t('cancel')}</Button><Button type="submit" look="main" busy={edit.isPending}>{t('save')}</Button></div>
      </form>
    </Dialog>
  )
}
