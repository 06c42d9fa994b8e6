// The languages of the console: one is loaded, before anything is drawn. Every word stands in src/messages.
import i18next, { type Resource } from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { messages as english } from '../messages/en'

export const LANGUAGES = ['en', 'zh-CN'] as const
export type Language = (typeof LANGUAGES)[number]

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof english }
  }
}

const KEY = 'backupx.language'

const LOAD: Record<Language, () => Promise<{ messages: Resource[string][string] }>> = {
  en: () => import('../messages/en'),
  'zh-CN': () => import('../messages/zh-CN'),
}

/** The language that was chosen here, or the first of the browser's that there is. */
function preferred(): Language {
  const asked = [stored(), ...navigator.languages].filter((tag) => tag !== null)
  for (const tag of asked) {
    const found = LANGUAGES.find((language) => language === tag || language.split('-')[0] === tag.split('-')[0])
    if (found) return found
  }
  return 'en'
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    // A browser that keeps nothing speaks its own language.
    return null
  }
}

/** The language on the page. */
export function language(): Language {
  return LANGUAGES.find((name) => name === i18next.language) ?? 'en'
}

async function load(name: Language): Promise<void> {
  if (!i18next.hasResourceBundle(name, 'translation')) {
    i18next.addResourceBundle(name, 'translation', (await LOAD[name]()).messages)
  }
  document.documentElement.lang = name
}

/** Makes the words ready. */
export async function startLanguage(): Promise<void> {
  const name = preferred()
  await i18next.use(initReactI18next).init({
    lng: name,
    resources: {},
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  })
  await load(name)
}

/** Changes the language, and keeps the choice in this browser. */
export async function chooseLanguage(name: Language): Promise<void> {
  await load(name)
  try {
    localStorage.setItem(KEY, name)
  } catch {
    // Not kept; it still holds until the page goes.
  }
  await i18next.changeLanguage(name)
}
