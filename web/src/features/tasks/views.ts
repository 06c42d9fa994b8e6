// Filters that somebody keeps in this browser.
export interface View {
  q?: string | undefined
  state?: 'on' | 'off' | 'trouble' | 'never' | undefined
  kind?: 'file' | 'mysql' | 'postgresql' | 'sqlite' | 'mongodb' | 'saphana' | undefined
  node?: number | undefined
  target?: number | undefined
}

interface Kept {
  name: string
  search: View
}

const KEY = 'backupx.views'

export function keptViews(): readonly Kept[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(read) ? read.filter(isKept) : []
  } catch {
    // What a browser lost or somebody wrote by hand is not worth a broken page.
    return []
  }
}

function isKept(raw: unknown): raw is Kept {
  return typeof raw === 'object' && raw !== null && 'name' in raw && typeof raw.name === 'string' && 'search' in raw && typeof raw.search === 'object' && raw.search !== null
}

/** Keeps a view under a name, or drops it. */
export function keepView(name: string, search: View | undefined): readonly Kept[] {
  const others = keptViews().filter((view) => view.name !== name)
  const next = search ? [...others, { name, search }] : others
  try {
    localStorage.setItem(KEY, JSON.stringify(next))
  } catch {
    // Not kept; it holds until the page goes.
  }
  return next
}
