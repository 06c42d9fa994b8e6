// Opens the command palette, by pointer or by keyboard; the palette itself comes when it is first wanted.
import { lazy, Suspense, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Icon } from '../ui/Icon'

const Palette = lazy(async () => ({ default: (await import('./Palette')).Palette }))

export function PaletteButton() {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
      event.preventDefault()
      setOpen((before) => !before)
    }
    window.addEventListener('keydown', onKey)
    return () => { window.removeEventListener('keydown', onKey) }
  }, [])
  return (
    <>
      <button type="button" className="palette-button" onClick={() => { setOpen(true) }}>
        <Icon name="search" />
        <span>{t('palette.open')}</span>
        <kbd>{navigator.userAgent.includes('Mac') ? '⌘ K' : 'Ctrl K'}</kbd>
      </button>
      {open && <Suspense><Palette onClose={() => { setOpen(false) }} /></Suspense>}
    </>
  )
}
