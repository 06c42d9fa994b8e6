// What stands where something is about to be.
import { useTranslation } from 'react-i18next'

export function Skeleton({ lines = 3 }: { lines?: number }) {
  const { t } = useTranslation()
  return (
    <div className="stack tight section-body" role="status" aria-label={t('loading')}>
      {Array.from({ length: lines }, (_, line) => <span key={line} className="bone" style={{ width: `${95 - ((line * 23) % 45)}%`, height: '1.25rem' }} />)}
    </div>
  )
}
