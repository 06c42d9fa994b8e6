// New nodes: how they are called, how they reach the master, and the one command for each, watched until it is online.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { address, fieldsOf, type Schemas } from '../../api/client'
import { useNodeActions } from '../../api/nodes'
import { Button, ButtonLink } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { AreaField, CheckField, Choices, TextField } from '../../ui/Field'
import { Note } from '../../ui/Note'
import { Crumb, PageHead, Section } from '../../ui/Page'
import { Joining } from './Joining'
import { labelsOf, namesOf, type Way } from './join'

const MOST = 50
const EXAMPLE = 'web1\ndb[1-3]'

export function JoinPage() {
  const { t } = useTranslation()
  const [names, setNames] = useState('')
  const [labels, setLabels] = useState('')
  const [way, setWay] = useState<Way>({ how: 'systemd', route: 'direct', master: address(''), proxy: '', bastion: '', privateCa: false, caFile: '/etc/backupx/ca.pem' })
  const [made, setMade] = useState<Schemas['NodeToken'][]>([])
  const [busy, setBusy] = useState(false)
  const { add } = useNodeActions()
  const wanted = namesOf(names)
  const change = (part: Partial<Way>) => { setWay({ ...way, ...part }) }
  const whole = URL.canParse(way.master) && (way.route !== 'proxy' || way.proxy !== '') && (way.route !== 'bastion' || way.bastion !== '')

  async function make() {
    setBusy(true)
    const done = [...made]
    for (const name of wanted.filter((one) => !done.some((node) => node.name === one))) {
      try {
        done.push(await add.mutateAsync({ name, labels: labelsOf(labels) }))
        setMade([...done])
      } catch {
        // What the master said stands below the form; those before it are made.
        break
      }
    }
    setBusy(false)
  }

  return (
    <div className="stack wide">
      <PageHead title={t('nodes.add')} crumb={<Crumb to="/nodes">{t('nav.nodes')}</Crumb>} lead={t('join.lead')} />
      {made.length === 0 || made.length < wanted.length ? (
        <form className="stack wide" onSubmit={(event) => { event.preventDefault(); void make() }}>
          <Section title={t('join.who')}>
            <div className="field-grid">
              <AreaField label={t('join.names')} hint={t('join.namesHint', { count: MOST })} value={names} onValue={setNames} placeholder={EXAMPLE} wrong={fieldsOf(add.error).get('name')} />
              <TextField label={t('nodes.columns.labels')} hint={t('nodes.labelsHint')} value={labels} onValue={setLabels} wrong={fieldsOf(add.error).get('labels')} />
            </div>
          </Section>
          <Section title={t('join.how')}>
            <div className="stack">
              <Choices label={t('join.start')} value={way.how} onValue={(how) => { change({ how }) }} options={(['systemd', 'docker', 'foreground'] as const).map((value) => ({ value, label: t(`join.hows.${value}`), hint: t(`join.howHints.${value}`) }))} />
              <Choices label={t('join.route')} value={way.route} onValue={(route) => { change({ route }) }} options={(['direct', 'proxy', 'bastion'] as const).map((value) => ({ value, label: t(`join.routes.${value}`), hint: t(`join.routeHints.${value}`) }))} />
              <div className="field-grid">
                <TextField label={t('join.master')} hint={t('join.masterHint')} type="url" value={way.master} onValue={(master) => { change({ master }) }} required />
                {way.route === 'proxy' && <TextField label={t('join.proxy')} value={way.proxy} onValue={(proxy) => { change({ proxy }) }} placeholder="http://proxy.example:3128" required />}
                {way.route === 'bastion' && <TextField label={t('join.bastion')} hint={t('join.bastionHint')} value={way.bastion} onValue={(bastion) => { change({ bastion }) }} placeholder="user@bastion.example" required />}
                {way.privateCa && <TextField label={t('join.caFile')} hint={t('join.caFileHint')} value={way.caFile} onValue={(caFile) => { change({ caFile }) }} />}
              </div>
              <CheckField label={t('join.privateCa')} hint={t('join.privateCaHint')} checked={way.privateCa} onChecked={(privateCa) => { change({ privateCa }) }} />
            </div>
          </Section>
          {add.error && <Failure error={add.error} />}
          {wanted.length > MOST && <Note tone="warn"><p>{t('join.tooMany', { count: MOST })}</p></Note>}
          <div><Button type="submit" look="main" busy={busy} disabled={wanted.length === 0 || wanted.length > MOST || !whole}>{t('join.make', { count: wanted.length })}</Button></div>
        </form>
      ) : null}
      {made.length > 0 && (
        <>
          <Joining made={made} way={way} />
          <div className="row"><ButtonLink to="/nodes">{t('join.done')}</ButtonLink></div>
        </>
      )}
    </div>
  )
}
