// The icons, drawn by us: strokes on a grid of twenty.
const PATHS = {
  overview: 'M3 10.5 10 4l7 6.5M5 9v7.5h10V9M8.5 16.5v-4h3v4',
  tasks: 'M4 5.5 5.5 7 8 4M4 11l1.5 1.5L8 9.5M4 16h2.5M11 5.5h6M11 11h6M11 16h6',
  runs: 'M3 10h3l2.5-6 3.5 12 2.5-6H17',
  restore: 'M3.5 10a6.5 6.5 0 1 0 2-4.7L3.5 7M3.5 3.5V7H7M10 6.5V10l2.5 2',
  nodes: 'M3.5 4h13v5h-13zM3.5 11h13v5h-13zM6.5 6.5h.01M6.5 13.5h.01M10 6.5h4M10 13.5h4',
  storage: 'M3.5 5.5C3.5 4 6.4 3 10 3s6.5 1 6.5 2.5S13.6 8 10 8 3.5 7 3.5 5.5zM3.5 5.5v9C3.5 16 6.4 17 10 17s6.5-1 6.5-2.5v-9M3.5 10c0 1.5 2.9 2.5 6.5 2.5s6.5-1 6.5-2.5',
  settings: 'M3 6h8m4 0h2M3 14h2m4 0h8M13 4v4M7 12v4',
  search: 'M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.5 13.5 17 17',
  plus: 'M10 4v12M4 10h12',
  play: 'M6 4.5v11l9-5.5z',
  pause: 'M7 4.5v11M13 4.5v11',
  edit: 'M4 16l.8-3.2L13 4.5l2.5 2.5-8.3 8.300z',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  check: 'm4 10.5 4 4 8-9',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  close: 'm5 5 10 10M15 5 5 15',
  download: 'M10 3v10M6 9.500l4 4 4-4M4 16.500h12',
  lock: 'M5 9h10v7.500H5zM7 9V6.500a3 3 0 0 1 6 0V9',
  unlock: 'M5 9h10v7.500H5zM7 9V6.500a3 3 0 0 1 5.8-1',
  trash: 'M4 6h12M8 6V4h4v2M5.5 6l.8 10.500h7.400L14.5 6M8.5 9v4.500M11.5 9v4.5',
  shield: 'M10 3 4.5 5v4.500c0 3.5 2.3 6 5.5 7.5 3.2-1.5 5.5-4 5.5-7.500V5zM7.5 10l1.8 1.8 3.2-3.6',
  refresh: 'M16.5 10a6.5 6.5 0 1 1-2-4.700l2 1.700M16.5 3.500V7H13',
  right: 'm8 5 5 5-5 5',
  left: 'm12 5-5 5 5 5',
  down: 'm5 8 5 5 5-5',
  folder: 'M3 5.500h5l1.5 2H17v8.500H3z',
  file: 'M5.5 3h6l3.5 3.500V17h-9.500zM11 3v4h4',
  database: 'M4 5.500C4 4 6.7 3 10 3s6 1 6 2.500S13.3 8 10 8 4 7 4 5.500zM4 5.500v9C4 16 6.7 17 10 17s6-1 6-2.500v-9',
  user: 'M10 10a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.500zM3.5 17c.7-3.2 3.3-4.5 6.5-4.500s5.8 1.3 6.5 4.5',
  key: 'M12.5 11.500a4 4 0 1 0-3.7-2.500L3.5 14.300V17H7v-2h2v-2l1.3-1.300a4 4 0 0 0 2.2-.2zM13.5 6.500h.01',
  out: 'M8 4H4v12h4M9 10h8M13.5 6.5 17 10l-3.5 3.5',
  warning: 'M10 3.5 2.5 16.500h15zM10 8.500v4M10 14.500v.01',
  info: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 9v4.500M10 6.500v.01',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4l2.5 2',
  globe: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM3 10h14M10 3c2.5 2.2 3 4.5 3 7s-.5 4.8-3 7c-2.5-2.2-3-4.5-3-7s.5-4.8 3-7z',
  theme: 'M10 3v14a7 7 0 0 0 0-14zM10 17a7 7 0 0 1 0-14',
  cloud: 'M6 15.500a3.5 3.5 0 0 1-.3-7 4.5 4.5 0 0 1 8.6 0 3.5 3.5 0 0 1-.3 7z',
  link: 'M8.5 11.500a3 3 0 0 0 4.3 0l2.7-2.700a3 3 0 0 0-4.3-4.300L10 5.700M11.5 8.500a3 3 0 0 0-4.3 0l-2.7 2.700a3 3 0 0 0 4.3 4.300L10 14.3',
  drive: 'M3.5 11 6 4.500h8l2.5 6.500v5h-13zM3.5 11h13M13 13.500h.01',
  bridge: 'M3 14.500V8M17 14.500V8M3 10.500c4.5 0 4.5-5 7-5s2.5 5 7 5M3 13h14',
  menu: 'M3.5 6h13M3.5 10h13M3.5 14h13',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth={name === 'more' ? 2.8 : 1.6} strokeLinecap="round" strokeLinejoin="round">
      <path d={PATHS[name]} />
    </svg>
  )
}
