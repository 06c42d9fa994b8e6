// The last restores, and what became of them.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useOperations } from '../../api/operations'
import { Section } from '../../ui/Page'
import { OperationTable } from './OperationTable'

export function RecentRestores() {
  const { t } = useTranslation()
  const operations = useOperations({ kind: 'restore' }, 10).data ?? []
  if (operations.length === 0) return null
  return <Section title={t('restores.recent')} beside={<Link to="/operations" search={{ kind: 'restore' }} className="small">{t('all')}</Link>} bare><OperationTable name={t('restores.recent')} operations={operations} /></Section>
}
