// Something that could not be read or done: what, why, and what to do next.
import { useTranslation } from 'react-i18next'
import { Refusal } from '../api/client'
import { sentence } from '../lib/format'
import { Button } from './Button'
import { Note } from './Note'

/** What to do about a refusal, by its code. */
function useNextStep(error: Error): string | undefined {
  const { t, i18n } = useTranslation()
  if (!(error instanceof Refusal)) return undefined
  const key = `errors.next.${error.code}`
  return i18n.exists(key) ? t(key as 'errors.next.forbidden') : undefined
}

export function useReason(): (error: Error) => string {
  const { t } = useTranslation()
  return (error) => {
    // A browser says nothing better about a master that is away.
    if (error instanceof TypeError) return t('errors.unreachable')
    if (error instanceof Refusal && error.message === '') return t('errors.status', { status: error.status })
    return sentence(error.message)
  }
}

export function Failure({ error, retry }: { error: Error; retry?: (() => unknown) | undefined }) {
  const { t } = useTranslation()
  const reason = useReason()
  const next = useNextStep(error)
  return (
    <Note tone="bad" role="alert">
      <p>{reason(error)}</p>
      {next && <p>{next}</p>}
      {retry && <div><Button icon="refresh" onClick={() => { retry() }}>{t('retry')}</Button></div>}
    </Note>
  )
}
