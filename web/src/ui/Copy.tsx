// A text that is to be taken along, with a button that copies it.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from './Button'

export function CopyLine({ text, name }: { text: string; name: string }) {
  return (
    <div className="copy-line">
      {/* What scrolls or is long must be reachable by keyboard. */}
      <pre aria-label={name} tabIndex={0} role="region">{text}</pre>
      <CopyButton text={text} />
    </div>
  )
}

export function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation()
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle')
  function copy() {
    // Without TLS a browser has no clipboard for pages.
    const written = 'clipboard' in navigator ? navigator.clipboard.writeText(text) : Promise.reject(new Error('no clipboard'))
    written.then(() => { setState('done') }, () => { setState('failed') })
  }
  return (
    <Button look="plain" icon={state === 'done' ? 'check' : 'copy'} onClick={copy} aria-live="polite">
      {state === 'done' ? t('copied') : state === 'failed' ? t('copyFailed') : t('copy')}
    </Button>
  )
}
