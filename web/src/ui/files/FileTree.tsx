// The tree of a run's archive: folders open when they are wanted, a search looks into what is open, files can be picked.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { useFiles } from '../../api/records'
import { bytes, instant } from '../../lib/format'
import { matches } from '../../lib/search'
import { Button } from '../Button'
import { Failure } from '../Failure'
import { SearchField } from '../Field'
import { Icon } from '../Icon'
import './files.css'

type Entry = Schemas['ListedEntry']

interface Picking {
  picked: ReadonlySet<string>
  onPick: (path: string, picked: boolean) => void
}

export function FileTree({ recordId, picking }: { recordId: number; picking?: Picking }) {
  const { t } = useTranslation()
  const [query, setQuery] = useState('')
  return (
    <>
      <div className="files-bar"><SearchField value={query} onValue={setQuery} name={t('files.search')} /></div>
      <Folder recordId={recordId} path="" depth={0} query={query} picking={picking} inherited={false} name={t('files.title')} />
    </>
  )
}

interface FolderProps {
  recordId: number
  path: string
  depth: number
  query: string
  picking: Picking | undefined
  /** A folder above is picked, and so is everything in it. */
  inherited: boolean
  name: string
}

function Folder({ recordId, path, depth, query, picking, inherited, name }: FolderProps) {
  const { t } = useTranslation()
  const files = useFiles(recordId, path)
  if (files.isPending) return <p className="quiet files-note" role="status">{t('files.reading')}</p>
  if (files.isError) return <div className="files-note"><Failure error={files.error} retry={() => files.refetch()} /></div>
  const entries = files.data.pages.flatMap((page) => page.items)
  // A folder may hold what is searched for, so it stays.
  const shown = entries.filter((entry) => entry.kind === 'dir' || matches(query, [entry.name, entry.path]))
  return (
    <ul className="files" aria-label={name}>
      {shown.map((entry) => <Line key={entry.path} entry={entry} alone={entries.length === 1} recordId={recordId} depth={depth} query={query} picking={picking} inherited={inherited} />)}
      {shown.length === 0 && <li className="quiet files-note">{t(entries.length === 0 ? 'files.empty' : 'files.noMatch')}</li>}
      {files.hasNextPage && <li className="files-note"><Button look="plain" busy={files.isFetchingNextPage} onClick={() => { void files.fetchNextPage() }}>{t('more')}</Button></li>}
    </ul>
  )
}

function Line({ entry, alone, recordId, depth, query, picking, inherited }: { entry: Entry; alone: boolean; recordId: number; depth: number; query: string; picking: Picking | undefined; inherited: boolean }) {
  const { t } = useTranslation()
  // A way without a choice is gone by itself.
  const [open, setOpen] = useState(alone && entry.kind === 'dir')
  const dir = entry.kind === 'dir'
  const picked = inherited || (picking?.picked.has(entry.path) ?? false)
  return (
    <li>
      <div className="file" style={{ paddingLeft: `calc(var(--s4) + ${depth} * 1.375rem)` }}>
        {dir ? (
          <button type="button" className="file-toggle" aria-expanded={open} aria-label={t(open ? 'files.close' : 'files.open', { name: entry.name })} onClick={() => { setOpen(!open) }}><Icon name={open ? 'down' : 'right'} /></button>
        ) : <span className="file-toggle" />}
        {picking && <input type="checkbox" checked={picked} disabled={inherited} aria-label={t('files.pick', { name: entry.path })} onChange={(event) => { picking.onPick(entry.path, event.target.checked) }} />}
        <Icon name={dir ? 'folder' : 'file'} />
        <span className="file-name">{entry.name}</span>
        {entry.kind !== 'dir' && entry.kind !== 'file' && <span className="tag">{t(`files.kind.${entry.kind}`)}</span>}
        <span className="file-size quiet small">{!dir && bytes(entry.size)}</span>
        <span className="file-time quiet small">{entry.mtime > 0 && instant(new Date(entry.mtime * 1000).toISOString())}</span>
      </div>
      {dir && open && <Folder recordId={recordId} path={entry.path} depth={depth + 1} query={query} picking={picking} inherited={picked} name={entry.name} />}
    </li>
  )
}
