// What surrounds every page: name, theme, who is signed in; and the ear for what happens at the master.
import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useMemo, useSyncExternalStore, type ReactNode } from 'react'
import { address } from '../api/client'
import { useSignOut } from '../features/session/api'
import { messages } from '../lib/messages'
import { link } from '../lib/router'
import { THEMES, useTheme } from '../lib/theme'
import { Logo } from '../ui/Logo'
import './shell.css'

export function Shell({ username, children }: { username: string; children: ReactNode }) {
  useEvents()
  const signOut = useSignOut()
  return (
    <>
      <a className="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById('content')?.focus() }}>{messages.skip}</a>
      <header className="bar">
        <div className="bar-inside">
          <a className="brand" href={link({ at: 'overview' })}><Logo />{messages.product}</a>
          <div className="bar-end">
            <ThemeChoice />
            <span className="quiet small who"><span className="unseen">{messages.session.signedInAs} </span>{username}</span>
            <button type="button" className="button plain" onClick={() => { signOut.mutate() }}>{messages.session.signOut}</button>
          </div>
        </div>
      </header>
      <main id="content" className="page" tabIndex={-1}>{children}</main>
    </>
  )
}

function ThemeChoice() {
  const [theme, choose] = useTheme()
  return (
    <label className="theme">
      <span className="unseen">{messages.theme.label}</span>
      <select value={theme} onChange={(event) => { choose(THEMES.find((name) => name === event.target.value) ?? 'system') }}>
        {THEMES.map((name) => <option key={name} value={name}>{messages.theme[name]}</option>)}
      </select>
    </label>
  )
}

/** Reads everything again when the master says that something happened. Where its events do not get through, the queries' own intervals do. */
function useEvents(): void {
  const cache = useQueryClient()
  const subscribe = useMemo(() => listenInto(cache), [cache])
  useSyncExternalStore(subscribe, nothing)
}

function listenInto(cache: QueryClient): () => () => void {
  return () => {
    const stream = new EventSource(address('/api/v1/events'), { withCredentials: true })
    stream.addEventListener('message', () => {
      void cache.invalidateQueries({ predicate: (query) => query.queryKey[0] === 'records' || query.queryKey[0] === 'nodes' })
    })
    return () => { stream.close() }
  }
}

function nothing(): null {
  return null
}
