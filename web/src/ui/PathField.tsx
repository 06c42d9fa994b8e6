// An absolute path of a node: typed, or picked out of its folders.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useBrowse } from '../api/nodes'
import { Button } from './Button'
import { Dialog } from './Dialog'
import { Failure } from './Failure'
import { TextField } from './Field'
import { Icon } from './Icon'
import { Skeleton } from './Skeleton'
import './files/files.css'
import './path.css'

interface Props {
  nodeId: number
  label: string
  hint?: string
  value: string
  onValue: (path: string) => void
  wrong?: string | undefined
}

export function PathField({ nodeId, label, hint, value, onValue, wrong }: Props) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  return (
    <div className="path-field">
      <TextField label={label} hint={hint} value={value} onValue={onValue} wrong={wrong} spellCheck={false} autoCapitalize="none" />
      <Button icon="folder" onClick={() => { setOpen(true) }}>{t('path.browse')}</Button>
      {open && <PathDialog nodeId={nodeId} start={value.startsWith('/') ? value : '/'} onClose={() => { setOpen(false) }} onPicked={(path) => { onValue(path); setOpen(false) }} />}
    </div>
  )
}

/** The parent of a path; `/` is its own. */
export function parentOf(path: string): string {
  return path.replace(/\/+$/, '').split('/').slice(0, -1).join('/') || '/'
}

export function PathDialog({ nodeId, start, onClose, onPicked }: { nodeId: number; start: string; onClose: () => void; onPicked: (path: string) => void }) {
  const { t } = useTranslation()
  const [path, setPath] = useState(start)
  return (
    <Dialog open onClose={onClose} title={t('path.title')} wide>
      <Folder nodeId={nodeId} path={path} onPath={setPath} />
      <div className="dialog-actions">
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button look="main" onClick={() => { onPicked(path) }}>{t('path.take', { path })}</Button>
      </div>
    </Dialog>
  )
}

/** A folder of a node: go up, go down. */
export function Folder({ nodeId, path, onPath }: { nodeId: number; path: string; onPath: (path: string) => void }) {
  const { t } = useTranslation()
  const listing = useBrowse(nodeId, path)
  const entries = [...(listing.data?.entries ?? [])].sort((a, b) => Number(b.kind === 'dir') - Number(a.kind === 'dir') || a.name.localeCompare(b.name))
  return (
    <div className="path-folder">
      <div className="row path-here"><Button look="plain" icon="left" disabled={path === '/'} onClick={() => { onPath(parentOf(path)) }}>{t('path.up')}</Button><code>{path}</code></div>
      {listing.isPending && <Skeleton />}
      {listing.isError && <div className="files-note"><Failure error={listing.error} retry={() => listing.refetch()} /></div>}
      {listing.data && (
        <ul className="path-list">
          {entries.map((entry) => (
            <li key={entry.path}>
              {entry.kind === 'dir'
                ? <button type="button" className="path-entry" onClick={() => { onPath(entry.path) }}><Icon name="folder" />{entry.name}</button>
                : <span className="path-entry quiet"><Icon name="file" />{entry.name}</span>}
            </li>
          ))}
          {entries.length === 0 && <li className="quiet files-note">{t('files.empty')}</li>}
          {listing.data.truncated && <li className="quiet files-note">{t('path.truncated')}</li>}
        </ul>
      )}
    </div>
  )
}
