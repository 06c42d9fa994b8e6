// Light, dark, or as the system says; the choice stays in this browser.
import { useSyncExternalStore } from 'react'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'backupx.theme'
const listeners = new Set<() => void>()

function chosen(): Theme {
  try {
    const text = localStorage.getItem(KEY)
    return THEMES.find((theme) => theme === text) ?? 'system'
  } catch {
    // A browser that keeps nothing follows the system.
    return 'system'
  }
}

/** Puts the choice on the page; the style sheet does the rest. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = chosen()
}

function choose(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // Not kept; it still holds until the page goes.
  }
  document.documentElement.dataset.theme = theme
  listeners.forEach((tell) => { tell() })
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function current(): Theme {
  return THEMES.find((theme) => theme === document.documentElement.dataset.theme) ?? 'system'
}

/** The theme and how to change it. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  return [useSyncExternalStore(subscribe, current), choose]
}
