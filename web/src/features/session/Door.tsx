// The way in: sign-in, or the set-up of the first administrator.
import type { ReactNode, SubmitEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf } from '../../api/client'
import { useSetUp, useSetUpNeeded, useSignIn } from '../../api/people'
import { chooseLanguage, LANGUAGES } from '../../lib/i18n'
import { THEMES, useTheme } from '../../lib/theme'
import { Button } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { Filter, TextField } from '../../ui/Field'
import { Logo } from '../../ui/Logo'
import './door.css'

export function Door({ onSetUp }: { onSetUp: () => void }) {
  const { t } = useTranslation()
  const needed = useSetUpNeeded()
  if (needed.isPending) return <p className="door quiet">{t('loading')}</p>
  if (needed.isError) return <div className="door"><Failure error={needed.error} retry={() => needed.refetch()} /></div>
  return needed.data ? <SetUp onDone={onSetUp} /> : <SignIn />
}

function SignIn() {
  const { t } = useTranslation()
  const signIn = useSignIn()
  return (
    <Form
      title={t('session.signIn')}
      lead={t('session.signInLead')}
      action={t('session.signIn')}
      busy={signIn.isPending}
      error={signIn.error}
      submit={(text) => { signIn.mutate({ username: text('username'), password: text('password') }) }}
    >
      <TextField label={t('session.username')} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
      <TextField label={t('session.password')} name="password" type="password" autoComplete="current-password" required />
    </Form>
  )
}

function SetUp({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation()
  // Whoever sets up is led through the first steps, wherever the address pointed.
  const setUp = useSetUp(onDone)
  const wrong = fieldsOf(setUp.error)
  return (
    <Form
      title={t('session.setUp')}
      lead={t('session.setUpLead')}
      action={t('session.create')}
      busy={setUp.isPending}
      error={setUp.error}
      submit={(text) => { setUp.mutate({ code: text('code').trim(), username: text('username'), password: text('password') }) }}
    >
      <TextField label={t('session.code')} hint={t('session.codeHint')} name="code" autoComplete="one-time-code" autoCapitalize="none" spellCheck={false} required wrong={wrong.get('code')} />
      <TextField label={t('session.username')} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required wrong={wrong.get('username')} />
      <TextField label={t('session.password')} hint={t('session.passwordHint')} name="password" type="password" autoComplete="new-password" minLength={12} required wrong={wrong.get('password')} />
    </Form>
  )
}

interface FormProps {
  title: string
  lead: string
  action: string
  busy: boolean
  error: Error | null
  submit: (text: (name: string) => string) => void
  children: ReactNode
}

function Form({ title, lead, action, busy, error, submit, children }: FormProps) {
  function onSubmit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault()
    const entries = new FormData(event.currentTarget)
    submit((name) => {
      const value = entries.get(name)
      return typeof value === 'string' ? value : ''
    })
  }
  return (
    <main className="door">
      <title>{title}</title>
      <form className="panel door-panel stack" onSubmit={onSubmit} aria-labelledby="door-title">
        <Logo />
        <div className="stack tight">
          <h1 id="door-title">{title}</h1>
          <p className="quiet">{lead}</p>
        </div>
        {error && <Failure error={error} />}
        {children}
        <Button type="submit" look="main" busy={busy}>{action}</Button>
      </form>
      <Tastes />
    </main>
  )
}

function Tastes() {
  const { t, i18n } = useTranslation()
  const [theme, choose] = useTheme()
  return (
    <div className="row door-tastes">
      <Filter name={t('language.label')} value={LANGUAGES.find((name) => name === i18n.language) ?? 'en'} options={LANGUAGES.map((value) => ({ value, label: t(`language.${value}`) }))} onValue={(name) => { void chooseLanguage(name) }} />
      <Filter name={t('theme.label')} value={theme} options={THEMES.map((value) => ({ value, label: t(`theme.${value}`) }))} onValue={choose} />
    </div>
  )
}
