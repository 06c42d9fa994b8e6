// What surrounds every page: navigation, search, who is signed in.
import { Dialog as Base } from '@base-ui/react/dialog'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useAway } from '../lib/away'
import { timeOfDay } from '../lib/format'
import { Icon } from '../ui/Icon'
import { Logo } from '../ui/Logo'
import { Note } from '../ui/Note'
import { AccountMenu, LanguageMenu, ThemeMenu } from './Account'
import { useEvents } from './events'
import { PaletteButton } from './PaletteButton'
import { ON_PHONE, PAGES } from './pages'
import './shell.css'

export function Shell() {
  const { t } = useTranslation()
  useEvents()
  return (
    <div className="shell">
      <a className="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById('content')?.focus() }}>{t('skip')}</a>
      <aside className="side">
        <Link to="/" className="brand"><Logo />{t('product')}</Link>
        <PaletteButton />
        <nav aria-label={t('nav.label')} className="side-nav"><NavLinks pages={PAGES} /></nav>
        <div className="side-end">
          <AccountMenu />
          <LanguageMenu />
          <ThemeMenu />
        </div>
      </aside>
      <main id="content" className="content" tabIndex={-1}><Away /><Outlet /></main>
      <PhoneBar />
    </div>
  )
}

function Away() {
  const { t } = useTranslation()
  const since = useAway()
  if (since === undefined) return null
  return <div className="away"><Note tone="warn" role="status"><p>{t('away', { time: timeOfDay(new Date(since).toISOString()) })}</p></Note></div>
}

function NavLinks({ pages, onGo }: { pages: readonly (typeof PAGES)[number][]; onGo?: () => void }) {
  const { t } = useTranslation()
  const path = useRouterState({ select: (state) => state.location.pathname })
  return pages.map(({ to, name, icon }) => {
    const here = to === '/' ? path === '/' : path.startsWith(to) || (to === '/records' && path.startsWith('/operations'))
    return (
      <Link key={to} to={to} className="nav-link" aria-current={here ? 'page' : undefined} {...(onGo && { onClick: onGo })}>
        <Icon name={icon} />
        <span>{t(`nav.${name}`)}</span>
      </Link>
    )
  })
}

/** The navigation under the thumb: the pages that are needed most, and the rest behind a button. */
function PhoneBar() {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  return (
    <nav aria-label={t('nav.label')} className="phone-bar">
      <NavLinks pages={PAGES.slice(0, ON_PHONE)} />
      <Base.Root open={open} onOpenChange={setOpen}>
        <Base.Trigger className="nav-link"><Icon name="menu" /><span>{t('nav.more')}</span></Base.Trigger>
        <Base.Portal>
          <Base.Backdrop className="dialog-veil" />
          <Base.Popup className="drawer">
            <Base.Title className="unseen">{t('nav.more')}</Base.Title>
            <PaletteButton />
            <div className="side-nav"><NavLinks pages={PAGES.slice(ON_PHONE)} onGo={() => { setOpen(false) }} /></div>
            <div className="side-end"><AccountMenu /><LanguageMenu /><ThemeMenu /></div>
          </Base.Popup>
        </Base.Portal>
      </Base.Root>
    </nav>
  )
}
