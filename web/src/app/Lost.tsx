// Pages that are not there, or broke.
import { useTranslation } from 'react-i18next'
import { ButtonLink } from '../ui/Button'
import { Empty } from '../ui/Empty'
import { Failure } from '../ui/Failure'
import { PageHead } from '../ui/Page'

export function Missing() {
  const { t } = useTranslation()
  return (
    <Empty icon="search" title={t('notFound.title')} action={<ButtonLink to="/">{t('notFound.back')}</ButtonLink>}>
      {t('notFound.lead')}
    </Empty>
  )
}

export function Broken({ error, reset }: { error: unknown; reset: () => void }) {
  const { t } = useTranslation()
  return (
    <div className="stack">
      <PageHead title={t('broken.title')} lead={t('broken.lead')} />
      <Failure error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
    </div>
  )
}
