// Runs, and what was done with them: two lists beside each other.
import { useTranslation } from 'react-i18next'
import { Tabs } from './Tabs'

export function RunTabs({ here }: { here: 'records' | 'operations' }) {
  const { t } = useTranslation()
  return (
    <Tabs
      tabs={[
        { key: 'records', name: t('nav.runs'), here: here === 'records', to: '/records' },
        { key: 'operations', name: t('operations.title'), here: here === 'operations', to: '/operations' },
      ]}
    />
  )
}
