// Addresses of the console, kept behind the `#`: they work below any path and need nothing of the server.
import { useSyncExternalStore } from 'react'

export type Page = { at: 'overview' } | { at: 'record'; id: number } | { at: 'unknown' }

/** The address of a page, for links. */
export function link(page: Page): string {
  return page.at === 'record' ? `#/records/${page.id}` : '#/'
}

function parse(hash: string): Page {
  const path = hash.replace(/^#\/?/, '')
  if (path === '') return { at: 'overview' }
  const record = /^records\/(\d+)$/.exec(path)
  return record?.[1] ? { at: 'record', id: Number(record[1]) } : { at: 'unknown' }
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => { window.removeEventListener('hashchange', listener) }
}

/** The page that the address names. */
export function usePage(): Page {
  return parse(useSyncExternalStore(subscribe, () => location.hash))
}
