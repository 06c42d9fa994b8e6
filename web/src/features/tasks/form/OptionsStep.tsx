// The rest: encryption, compression, proof, limits.
import { useTranslation } from 'react-i18next'
import { AreaField, CheckField, CountField, SelectField } from '../../../ui/Field'
import { Note } from '../../../ui/Note'
import type { StepProps } from './TaskForm'

const COMPRESSIONS = ['zstd', 'gzip', 'none'] as const
const MODES = ['', 'quick', 'full', 'drill'] as const
const RHYTHMS = ['0 5 * * *', '0 5 * * 0', '0 5 1 * *'] as const

export function OptionsStep({ draft, change, wrong }: StepProps) {
  const { t } = useTranslation()
  const known = RHYTHMS.find((cron) => cron === draft.verifyCron)
  return (
    <>
      <div className="stack tight">
        <CheckField label={t('form.encrypt')} hint={t('form.encryptHint')} checked={draft.encrypt} onChecked={(encrypt) => { change({ encrypt }) }} />
        {!draft.encrypt && <Note tone="warn"><p>{t('form.encryptWarn')}</p></Note>}
        <CheckField label={t('form.guard')} hint={t('form.guardHint')} checked={draft.guard} onChecked={(guard) => { change({ guard }) }} />
      </div>
      <div className="field-grid">
        <SelectField label={t('form.verify')} hint={t('form.verifyHint')} value={draft.verifyMode} options={MODES.map((value) => ({ value, label: value === '' ? t('form.noVerify') : t(`operations.verify.${value}`) }))} onValue={(verifyMode) => { change({ verifyMode }) }} wrong={wrong.get('verify')} />
        {draft.verifyMode !== '' && <SelectField label={t('form.verifyWhen')} value={known ?? draft.verifyCron} options={[...RHYTHMS.map((value) => ({ value, label: t(`form.rhythm.${value === '0 5 * * *' ? 'daily' : value === '0 5 * * 0' ? 'weekly' : 'monthly'}`) })), ...(known ? [] : [{ value: draft.verifyCron, label: draft.verifyCron }])]} onValue={(verifyCron) => { change({ verifyCron }) }} />}
        <SelectField label={t('form.compression')} value={draft.compression} options={COMPRESSIONS.map((value) => ({ value, label: t(`form.compressions.${value}`) }))} onValue={(compression) => { change({ compression }) }} />
      </div>
      <details className="fold">
        <summary>{t('form.advanced')}</summary>
        <div className="stack">
          <div className="field-grid">
            <CountField label={t('form.maxUnreadable')} hint={t('form.maxUnreadableHint')} value={draft.maxUnreadable} onValue={(maxUnreadable) => { change({ maxUnreadable }) }} wrong={wrong.get('maxUnreadable')} />
            <CountField label={t('form.timeLimit')} hint={t('form.timeLimitHint')} value={draft.timeLimitHours} onValue={(timeLimitHours) => { change({ timeLimitHours }) }} wrong={wrong.get('timeLimitSecs')} />
            <CountField label={t('form.maxCores')} hint={t('form.maxCoresHint')} value={draft.maxCores} onValue={(maxCores) => { change({ maxCores }) }} wrong={wrong.get('maxCores')} />
          </div>
          <AreaField label={t('form.recipients')} hint={t('form.recipientsHint')} value={draft.recipients} onValue={(recipients) => { change({ recipients }) }} rows={2} wrong={wrong.get('extraRecipients')} />
        </div>
      </details>
    </>
  )
}
