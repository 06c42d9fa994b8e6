// Where a run's copies are, and what each came to.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { stateOf } from '../../api/records'
import { bytes, sentence } from '../../lib/format'
import { Section } from '../../ui/Page'
import { CopyBadge } from '../../ui/Status'
import { Ago } from '../../ui/Time'

export function Copies({ record }: { record: BackupRecord }) {
  const { t } = useTranslation()
  return (
    <Section title={t('records.copies')}>
      <ul className="stack">
        {record.copies.map((copy) => (
          <li key={copy.targetId} className="stack tight">
            <div className="row between">
              <Link to="/storage/$id" params={{ id: String(copy.targetId) }} className="name-link">{copy.targetName}</Link>
              <span className="row">
                {copy.storedBytes > 0 && <span className="quiet small">{bytes(copy.storedBytes)}</span>}
                <CopyBadge status={stateOf(copy)} />
              </span>
            </div>
            {copy.status === 'good' && <span className="quiet small">{copy.verifiedAt ? <>{t('records.proven')} <Ago at={copy.verifiedAt} /></> : t('records.unproven')}</span>}
            {copy.error && <span className="tone-text-bad small">{sentence(copy.error)}</span>}
          </li>
        ))}
      </ul>
    </Section>
  )
}
