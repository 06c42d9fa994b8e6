// Who is signed in, the password, the language and the theme.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf } from '../../api/client'
import { useChangePassword, useSession, useSignOut } from '../../api/people'
import { chooseLanguage, LANGUAGES } from '../../lib/i18n'
import { THEMES, useTheme } from '../../lib/theme'
import { Button } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { SelectField, TextField } from '../../ui/Field'
import { Note } from '../../ui/Note'
import { Fact, Facts, Section } from '../../ui/Page'

export function Account() {
  const { t, i18n } = useTranslation()
  const session = useSession().data
  const signOut = useSignOut()
  const [theme, choose] = useTheme()
  return (
    <div className="columns">
      <Section title={t('settings.tabs.account')} beside={<Button icon="out" busy={signOut.isPending} onClick={() => { signOut.mutate() }}>{t('session.signOut')}</Button>}>
        <div className="stack">
          {session && (
            <Facts>
              <Fact name={t('session.username')}>{session.username}</Fact>
              <Fact name={t('settings.role')}>{t(`role.${session.role}`)}</Fact>
            </Facts>
          )}
          {signOut.error && <Failure error={signOut.error} />}
          <div className="field-grid">
            <SelectField label={t('language.label')} value={LANGUAGES.find((name) => name === i18n.language) ?? 'en'} options={LANGUAGES.map((value) => ({ value, label: t(`language.${value}`) }))} onValue={(name) => { void chooseLanguage(name) }} />
            <SelectField label={t('theme.label')} value={theme} options={THEMES.map((value) => ({ value, label: t(`theme.${value}`) }))} onValue={choose} />
          </div>
        </div>
      </Section>
      <Password />
    </div>
  )
}

function Password() {
  const { t } = useTranslation()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const change = useChangePassword()
  const wrong = fieldsOf(change.error)
  return (
    <Section title={t('settings.password.title')}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); change.mutate({ current, new: next }, { onSuccess: () => { setCurrent(''); setNext('') } }) }}>
        <TextField label={t('settings.password.current')} type="password" autoComplete="current-password" value={current} onValue={setCurrent} required wrong={wrong.get('current')} />
        <TextField label={t('settings.password.new')} hint={t('session.passwordHint')} type="password" autoComplete="new-password" minLength={12} value={next} onValue={setNext} required wrong={wrong.get('new')} />
        {change.error && <Failure error={change.error} />}
        {change.isSuccess && <Note tone="good" role="status"><p>{t('settings.password.done')}</p></Note>}
        <div><Button type="submit" look="main" busy={change.isPending}>{t('settings.password.change')}</Button></div>
      </form>
    </Section>
  )
}
