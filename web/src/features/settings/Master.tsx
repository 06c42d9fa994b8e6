// About this master: its version, its key, and where machines look.
import { useTranslation } from 'react-i18next'
import { address } from '../../api/client'
import { useNode } from '../../api/nodes'
import { Fact, Facts, Section } from '../../ui/Page'
import { RecoveryKit } from '../../ui/RecoveryKit'

const LINKS = ['/api/v1/openapi.json', '/metrics', '/health', '/ready'] as const

export function Master() {
  const { t } = useTranslation()
  const local = useNode(0).data
  return (
    <div className="columns">
      <Section title={t('settings.tabs.master')}>
        <Facts>
          {local?.facts && <Fact name={t('nodes.columns.version')}>{local.facts.version}</Fact>}
          {local?.facts && <Fact name={t('nodes.columns.host')}>{local.facts.hostname}</Fact>}
          {LINKS.map((path) => <Fact key={path} name={t(`settings.master.${path}`)}><a href={address(path)} target="_blank" rel="noreferrer"><code>{path}</code></a></Fact>)}
        </Facts>
      </Section>
      <Section title={t('start.kit.title')}>
        <div className="stack"><RecoveryKit /></div>
      </Section>
    </div>
  )
}
