// Parts of a page, each with an address of its own.
import { Link, type LinkProps } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

type Tab = LinkProps & { key: string; name: string; here: boolean }

export function Tabs({ tabs }: { tabs: readonly Tab[] }) {
  const { t } = useTranslation()
  return (
    <nav className="tabs" aria-label={t('nav.label')}>
      {tabs.map(({ key, name, here, ...link }) => <Link key={key} {...link} replace resetScroll={false} activeOptions={{ exact: true }} aria-current={here ? 'page' : undefined}>{name}</Link>)}
    </nav>
  )
}
