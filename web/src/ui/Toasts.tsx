// Short words about what was just asked for. They never say that something is done that is only queued.
import { Toast } from '@base-ui/react/toast'
import { useTranslation } from 'react-i18next'
import { IconButton } from './Button'

const manager = Toast.createToastManager()

/** Says something for a few seconds. */
export function say(title: string): void {
  manager.add({ title, timeout: 6000 })
}

export function Toasts() {
  return (
    <Toast.Provider toastManager={manager} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="toasts"><Shown /></Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function Shown() {
  const { t } = useTranslation()
  const { toasts } = Toast.useToastManager()
  return toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className="toast">
      <Toast.Title render={<p />} />
      <Toast.Close render={<IconButton icon="close" name={t('close')} />} />
    </Toast.Root>
  ))
}
