// Dialogs: a frame, and the question before something that cannot be taken back.
import { Dialog as Base } from '@base-ui/react/dialog'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from './Button'
import { Failure } from './Failure'
import { TextField } from './Field'

interface Props {
  open: boolean
  onClose: () => void
  title: string
  children: ReactNode
  wide?: boolean
}

export function Dialog({ open, onClose, title, children, wide = false }: Props) {
  return (
    <Base.Root open={open} onOpenChange={(next) => { if (!next) onClose() }}>
      <Base.Portal>
        <Base.Backdrop className="dialog-veil" />
        <Base.Popup className={wide ? 'dialog wide' : 'dialog'}>
          <div className="stack">
            <Base.Title>{title}</Base.Title>
            {children}
          </div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

interface ConfirmProps {
  title: string
  children: ReactNode
  action: string
  /** What has to be typed first, for what destroys. */
  typed?: string
  busy: boolean
  error: Error | null
  open: boolean
  onClose: () => void
  onConfirm: () => void
}

export function Confirm({ title, children, action, typed, busy, error, open, onClose, onConfirm }: ConfirmProps) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); onConfirm() }}>
        <div className="stack tight">{children}</div>
        {typed !== undefined && <TextField label={t('typeToConfirm', { name: typed })} value={text} onValue={setText} autoComplete="off" spellCheck={false} />}
        {error && <Failure error={error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" look="danger" busy={busy} disabled={typed !== undefined && text !== typed}>{action}</Button>
        </div>
      </form>
    </Dialog>
  )
}
