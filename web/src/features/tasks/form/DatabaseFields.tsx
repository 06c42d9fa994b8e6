// How a database server is reached, and which of its databases are taken.
import { useTranslation } from 'react-i18next'
import { AreaField, CheckField, SelectField, TextField } from '../../../ui/Field'
import { Note } from '../../../ui/Note'
import type { StepProps } from './TaskForm'

const PORTS = { postgresql: '5432', mysql: '3306', mongodb: '27017', saphana: '30013', file: '', sqlite: '' } as const
const TLS = ['prefer', 'off', 'require', 'verify'] as const

export function DatabaseFields({ draft, change, wrong, task }: StepProps) {
  const { t } = useTranslation()
  const kept = task?.secretsSet?.includes('password') ?? false
  return (
    <>
      <fieldset className="stack">
        <legend className="strong">{t('form.server')}</legend>
        <div className="field-grid">
          <TextField label={t('form.host')} hint={t('form.hostHint')} value={draft.host} onValue={(host) => { change({ host }) }} autoCapitalize="none" spellCheck={false} wrong={wrong.get('source.server.host')} />
          <TextField label={t('form.port')} value={draft.port} onValue={(port) => { change({ port }) }} inputMode="numeric" placeholder={PORTS[draft.kind]} wrong={wrong.get('source.server.port')} />
          <TextField label={t('form.user')} value={draft.user} onValue={(user) => { change({ user }) }} autoComplete="off" autoCapitalize="none" spellCheck={false} wrong={wrong.get('source.server.user')} />
          <TextField label={t('form.password')} type="password" autoComplete="new-password" value={draft.password} onValue={(password) => { change({ password }) }} hint={kept ? t('form.passwordKept') : t('form.passwordHint')} wrong={wrong.get('secrets.password')} />
          <SelectField label={t('form.tls')} value={draft.tls} options={TLS.map((value) => ({ value, label: t(`form.tlsMode.${value}`) }))} onValue={(tls) => { change({ tls }) }} wrong={wrong.get('source.server.tls')} />
          {(draft.tls === 'verify' || draft.tlsCa !== '') && <TextField label={t('form.tlsCa')} hint={t('form.tlsCaHint')} value={draft.tlsCa} onValue={(tlsCa) => { change({ tlsCa }) }} wrong={wrong.get('source.server.tlsCa')} />}
          {(draft.kind === 'postgresql' || draft.kind === 'mysql') && <TextField label={t('form.socket')} hint={t('form.socketHint')} value={draft.socket} onValue={(socket) => { change({ socket }) }} spellCheck={false} wrong={wrong.get('source.server.socket')} />}
          <TextField label={t('form.tools')} hint={t('form.toolsHint')} value={draft.tools} onValue={(tools) => { change({ tools }) }} spellCheck={false} wrong={wrong.get('source.tools')} />
          {draft.kind === 'mongodb' && <TextField label={t('form.authDatabase')} value={draft.authDatabase} onValue={(authDatabase) => { change({ authDatabase }) }} placeholder="admin" />}
        </div>
      </fieldset>
      <fieldset className="stack">
        <legend className="strong">{t('form.databases')}</legend>
        <div className="field-grid">
          <AreaField label={t('form.only')} hint={t('form.onlyHint')} value={draft.only} onValue={(only) => { change({ only }) }} wrong={wrong.get('source.databases.only')} />
          <AreaField label={t('form.except')} hint={t('form.exceptHint')} value={draft.except} onValue={(except) => { change({ except }) }} wrong={wrong.get('source.databases.except')} />
        </div>
        {draft.kind === 'postgresql' && <SelectField label={t('form.format')} value={draft.format} options={(['custom', 'plain', 'physical'] as const).map((value) => ({ value, label: t(`form.formats.${value}`) }))} onValue={(format) => { change({ format }) }} />}
        {draft.kind === 'saphana' && <SelectField label={t('form.level')} value={draft.level} options={(['full', 'incremental', 'differential', 'log'] as const).map((value) => ({ value, label: t(`form.levels.${value}`) }))} onValue={(level) => { change({ level }) }} />}
        {(draft.kind === 'postgresql' || draft.kind === 'mysql') && <CheckField label={t('form.accounts')} checked={draft.accounts} onChecked={(accounts) => { change({ accounts }) }} />}
      </fieldset>
      {!task && <Note tone="idle"><p>{t('form.testLater')}</p></Note>}
    </>
  )
}
