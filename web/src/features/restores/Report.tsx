// What an operation came to.
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { useTargetNames } from '../../api/targets'
import { bytes, count, sentence, span } from '../../lib/format'
import { Badge } from '../../ui/Badge'
import { Note } from '../../ui/Note'
import { Fact, Facts, Section } from '../../ui/Page'

export function Report({ report, dryRun }: { report: Schemas['OperationReport']; dryRun: boolean }) {
  const { t } = useTranslation()
  const target = useTargetNames()
  switch (report.type) {
    case 'restore':
      return <Restored report={report} dryRun={dryRun} />
    case 'verify':
      return (
        <Section title={t('restores.result')}>
          <ul className="stack">
            {report.copies.map((copy) => (
              <li key={copy.targetId} className="stack tight">
                <div className="row"><span className="strong">{target(copy.targetId)}</span><Badge tone={copy.ok ? 'good' : 'bad'}>{t(copy.ok ? 'restores.held' : copy.damaged ? 'restores.damaged' : 'restores.notHeld')}</Badge></div>
                <span className="quiet small">{t('restores.read', { objects: count(copy.objects), entries: count(copy.entries), size: bytes(copy.bytesRead) })}</span>
                {copy.problems.map((problem) => <span key={problem} className="tone-text-bad">{sentence(problem)}</span>)}
              </li>
            ))}
          </ul>
        </Section>
      )
    case 'drill':
      return (
        <Section title={t('restores.result')}>
          <div className="stack">
            <p>{t('restores.drill', { entries: count(report.restoredEntries), size: bytes(report.restoredBytes), time: span(report.totalMs / 1000) })}</p>
            <ul className="stack tight">
              {report.answers.map((answer) => (
                <li key={answer.assertion} className="row"><Badge tone={answer.ok ? 'good' : 'bad'}>{t(answer.ok ? 'restores.held' : 'restores.notHeld')}</Badge><span>{answer.assertion}</span><code>{answer.answer}</code></li>
              ))}
            </ul>
            {report.problems.map((problem) => <p key={problem} className="tone-text-bad">{sentence(problem)}</p>)}
          </div>
        </Section>
      )
    case 'copy':
      return (
        <Section title={t('restores.result')}>
          <ul className="stack tight">
            {report.copies.map((copy) => <li key={copy.targetId} className="row"><span className="strong">{target(copy.targetId)}</span>{copy.error ? <span className="tone-text-bad">{sentence(copy.error.message)}</span> : <span className="quiet">{bytes(copy.storedBytes)}</span>}</li>)}
          </ul>
        </Section>
      )
    case 'delete':
      return <Section title={t('restores.result')}><p>{t('restores.deleted', { objects: count(report.objects), size: bytes(report.bytes) })}</p></Section>
  }
}

const MOST = 500

export function Restored({ report, dryRun }: { report: Schemas['RestoreReport']; dryRun: boolean }) {
  const { t } = useTranslation()
  return (
    <Section title={dryRun ? t('restores.would') : t('restores.result')}>
      <div className="stack">
        <Facts>
          <Fact name={t('restores.fact.selected')}>{t('restores.entries', { count: report.selectedEntries, entries: count(report.selectedEntries), size: bytes(report.selectedBytes) })}</Fact>
          {!dryRun && <Fact name={t('restores.fact.restored')}>{t('restores.entries', { count: report.restoredEntries, entries: count(report.restoredEntries), size: bytes(report.restoredBytes) })}</Fact>}
          {report.keptEntries > 0 && <Fact name={t('restores.fact.kept')}>{count(report.keptEntries)}</Fact>}
          {report.failedEntries > 0 && <Fact name={t('restores.fact.failed')}><span className="tone-text-bad">{count(report.failedEntries)}</span></Fact>}
          <Fact name={t('restores.fact.to')}><code>{report.to}</code></Fact>
        </Facts>
        {report.warnings.length > 0 && <Note tone="warn">{report.warnings.map((warning) => <p key={warning}>{sentence(warning)}</p>)}</Note>}
        {dryRun && (
          <div className="stack tight">
            <h3>{t('restores.changes', { count: report.wouldWrite.length, shown: count(report.wouldWrite.length) })}</h3>
            {/* What scrolls must be reachable by keyboard. */}
            <ul className="would-write" tabIndex={0} role="region" aria-label={t('restores.would')}>{report.wouldWrite.slice(0, MOST).map((path) => <li key={path}><code>{path}</code></li>)}</ul>
          </div>
        )}
      </div>
    </Section>
  )
}
