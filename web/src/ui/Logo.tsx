// The mark: layers that lie on each other.
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path d="M8 11.5 16 7l8 4.5-8 4.5z" fill="var(--on-accent)" />
      <path d="m8 16 8 4.5 8-4.5M8 20.5 16 25l8-4.5" fill="none" stroke="var(--on-accent)" strokeWidth="2.2" strokeLinejoin="round" strokeLinecap="round" />
    </svg>
  )
}
