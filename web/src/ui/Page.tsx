// The frame of a page: title, what can be done, sections.
import { createLink } from '@tanstack/react-router'
import { useId, type ComponentProps, type ReactNode } from 'react'
import { Icon } from './Icon'

interface HeadProps {
  title: string
  lead?: ReactNode
  beside?: ReactNode
  crumb?: ReactNode
  actions?: ReactNode
}

export function PageHead({ title, lead, beside, crumb, actions }: HeadProps) {
  return (
    <>
      <title>{title}</title>
      <div className="page-head">
        <div className="page-title">
          {crumb}
          <div className="row"><h1>{title}</h1>{beside}</div>
          {lead && <p className="quiet">{lead}</p>}
        </div>
        {actions && <div className="row">{actions}</div>}
      </div>
    </>
  )
}

function PlainCrumb({ children, ...rest }: ComponentProps<'a'>) {
  return <a {...rest} className="crumb"><Icon name="left" />{children}</a>
}

/** The way back to the list that a page came out of. */
export const Crumb = createLink(PlainCrumb)

export function Section({ title, beside, children, bare = false }: { title: string; beside?: ReactNode; children: ReactNode; bare?: boolean }) {
  const id = useId()
  return (
    <section className="panel" aria-labelledby={id}>
      <div className="section-head"><h2 id={id}>{title}</h2>{beside}</div>
      {bare ? children : <div className="section-body">{children}</div>}
    </section>
  )
}

export function Facts({ children }: { children: ReactNode }) {
  return <dl className="facts">{children}</dl>
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}
