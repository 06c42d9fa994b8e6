// How the recovery kit is fetched: on the master's host, since the key is never sent to a browser.
import { useTranslation } from 'react-i18next'
import { CopyLine } from './Copy'

const COMMAND = 'backupx key export > backupx-recovery-kit.txt'

export function RecoveryKit() {
  const { t } = useTranslation()
  return (
    <>
      <p>{t('start.kit.lead')}</p>
      <CopyLine text={COMMAND} name={t('start.kit.command')} />
      <p className="quiet">{t('start.kit.where')}</p>
    </>
  )
}
