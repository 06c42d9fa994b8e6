// Who is signed in, the language and the theme.
import { useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useSession, useSignOut } from '../api/people'
import { chooseLanguage, LANGUAGES } from '../lib/i18n'
import { THEMES, useTheme } from '../lib/theme'
import { Icon } from '../ui/Icon'
import { Menu } from '../ui/Menu'

export function AccountMenu() {
  const { t } = useTranslation()
  const session = useSession().data
  const signOut = useSignOut()
  const go = useNavigate()
  if (!session) return null
  const actions = [
    { label: t('nav.settings'), icon: 'settings', act: () => { void go({ to: '/settings' }) } },
    { label: t('session.signOut'), icon: 'out', act: () => { signOut.mutate() } },
  ] as const
  return (
    <Menu name={t('nav.account', { name: session.username })} actions={actions} look="button plain account">
      <Icon name="user" />
      <span className="account-name">{session.username}</span>
    </Menu>
  )
}

export function LanguageMenu() {
  const { t, i18n } = useTranslation()
  const actions = LANGUAGES.map((name) => ({
    label: t(`language.${name}`),
    ...(i18n.language === name && { icon: 'check' as const }),
    act: () => { void chooseLanguage(name) },
  }))
  return <Menu name={t('language.label')} actions={actions}><Icon name="globe" /></Menu>
}

export function ThemeMenu() {
  const { t } = useTranslation()
  const [theme, choose] = useTheme()
  const actions = THEMES.map((name) => ({
    label: t(`theme.${name}`),
    ...(theme === name && { icon: 'check' as const }),
    act: () => { choose(name) },
  }))
  return <Menu name={t('theme.label')} actions={actions}><Icon name="theme" /></Menu>
}
