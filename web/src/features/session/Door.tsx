// The way in: sign-in, or the set-up of the first administrator.
import type { ReactNode, SubmitEvent } from 'react'
import { Refusal } from '../../api/client'
import { messages } from '../../lib/messages'
import { Failure } from '../../ui/Failure'
import { Field } from '../../ui/Field'
import { Logo } from '../../ui/Logo'
import { useSetUp, useSetUpNeeded, useSignIn } from './api'
import './door.css'

const words = messages.session

export function Door() {
  const needed = useSetUpNeeded()
  if (needed.isPending) return <p className="door quiet">{messages.loading}</p>
  if (needed.isError) return <div className="door"><Failure error={needed.error} retry={() => void needed.refetch()} /></div>
  return needed.data ? <SetUp /> : <SignIn />
}

function SignIn() {
  const signIn = useSignIn()
  return (
    <Form
      title={words.signIn}
      lead={words.signInLead}
      action={words.signIn}
      busy={signIn.isPending}
      error={signIn.error}
      submit={(text) => { signIn.mutate({ username: text('username'), password: text('password') }) }}
    >
      <Field label={words.username} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
      <Field label={words.password} name="password" type="password" autoComplete="current-password" required />
    </Form>
  )
}

function SetUp() {
  const setUp = useSetUp()
  const fields = setUp.error instanceof Refusal ? setUp.error.fields : undefined
  return (
    <Form
      title={words.setUp}
      lead={words.setUpLead}
      action={words.create}
      busy={setUp.isPending}
      error={setUp.error}
      submit={(text) => { setUp.mutate({ code: text('code').trim(), username: text('username'), password: text('password') }) }}
    >
      <Field label={words.code} hint={words.codeHint} name="code" autoComplete="one-time-code" autoCapitalize="none" spellCheck={false} required wrong={fields?.get('code')} />
      <Field label={words.username} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required wrong={fields?.get('username')} />
      <Field label={words.password} hint={words.passwordHint} name="password" type="password" autoComplete="new-password" minLength={12} required wrong={fields?.get('password')} />
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
      <form className="panel stack" onSubmit={onSubmit} aria-labelledby="door-title">
        <Logo />
        <div className="stack door-words">
          <h1 id="door-title">{title}</h1>
          <p className="quiet">{lead}</p>
        </div>
        {error && <Failure error={error} />}
        {children}
        <button type="submit" className="button main" disabled={busy}>{busy ? words.busy : action}</button>
      </form>
    </main>
  )
}
