// The account, and who and what else may come in.
import { getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useMay } from '../../api/people'
import { PageHead } from '../../ui/Page'
import { Tabs } from '../../ui/Tabs'
import { Account } from './Account'
import { ApiKeys } from './ApiKeys'
import { Master } from './Master'
import { Users } from './Users'

const route = getRouteApi('/settings')

export function SettingsPage() {
  const { t } = useTranslation()
  const { tab } = route.useSearch()
  const admin = useMay('admin')
  const tabs = ['users', 'keys', 'master'] as const
  return (
    <div className="stack wide">
      <PageHead title={t('nav.settings')} />
      <Tabs
        tabs={[
          { key: 'account', name: t('settings.tabs.account'), here: tab === undefined, to: '/settings', search: {} },
          ...tabs.filter((one) => one !== 'users' || admin).map((one) => ({ key: one, name: t(`settings.tabs.${one}`), here: tab === one, to: '/settings' as const, search: { tab: one } })),
        ]}
      />
      {tab === undefined && <Account />}
      {tab === 'users' && <Users />}
      {tab === 'keys' && <ApiKeys />}
      {tab === 'master' && <Master />}
    </div>
  )
}
