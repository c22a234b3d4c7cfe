// What records say is text from elsewhere: it gets into the page as text only, never as HTML.
'use strict';

const page = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);

/** An element with properties and children; children that are strings become text. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter(child => child !== null));
  return element;
}

// Words for numbers and times.

const count = number => number.toLocaleString();
const videos = number => `${count(number)} ${number === 1 ? 'video' : 'videos'}`;
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const time = (format, seconds) => seconds ? format.format(new Date(seconds * 1000)) : '';

function bytes(number) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; number >= 1024 && unit < units.length - 1; unit++) number /= 1024;
  return `${number.toLocaleString(undefined, { maximumFractionDigits: number < 10 && unit ? 1 : 0 })} ${units[unit]}`;
}

function length(video) {
  if (video.duration !== undefined) return `${count(video.duration)} s`;
  return video.frames === undefined ? '' : `${count(video.frames)} frames`;
}

// What each video is looked for and sorted by.

const file = (video, prefix) => video.files.find(file => file.name.startsWith(prefix));

for (const video of page.videos) {
  video.key = `${video.account}/${video.id}`;
  video.words = [video.id, video.model, video.prompt ?? '', video.account].join('\n').toLowerCase();
  video.date = video.created || video.archived;
  video.size = video.files.reduce((sum, file) => sum + file.size, 0);
  video.film = file(video, 'video.');
  video.frame = file(video, 'last_frame.');
  const [width, height] = (video.ratio ?? '').split(':').map(Number);
  video.tall = height > width;
  video.faults = [...video.warnings ?? []];
  for (const { checks = [] } of video.files) {
    for (const [name, result, expected, found] of checks) {
      if (result !== 'passed') video.faults.push(`${name}: expected ${expected}, found ${found}`);
    }
  }
}

const orders = {
  newest: (a, b) => b.date - a.date,
  oldest: (a, b) => a.date - b.date,
  largest: (a, b) => b.size - a.size,
  smallest: (a, b) => a.size - b.size,
};

// What is shown: as the controls say, which the address repeats after its `#`.

let shown = page.videos;
let selected = null;

function select() {
  selected = address();
  const words = $('q').value.toLowerCase().split(/\s+/).filter(Boolean);
  const [model, account, warnings] = [$('model').value, $('account').value, $('warnings').checked];
  shown = page.videos
    .filter(video => (!model || video.model === model)
      && (!account || video.account === account)
      && (!warnings || video.faults.length > 0)
      && words.every(word => video.words.includes(word)))
    .sort(orders[$('sort').value]);
  $('count').textContent = shown.length === page.videos.length
    ? videos(shown.length)
    : `${count(shown.length)} of ${videos(page.videos.length)}`;
  $('empty').hidden = shown.length > 0;
  grid.reset();
}

function address(key) {
  const state = new URLSearchParams();
  for (const id of ['q', 'model', 'account']) {
    if ($(id).value) state.set(id, $(id).value);
  }
  if ($('warnings').checked) state.set('warnings', '1');
  if ($('sort').value !== 'newest') state.set('sort', $('sort').value);
  if (key) state.set('video', key);
  return `#${state}`;
}

/** Follows the address: when the page opens, and when a person goes back or edits it. */
function follow() {
  const state = new URLSearchParams(location.hash.slice(1));
  $('q').value = state.get('q') ?? '';
  for (const id of ['model', 'account']) choose($(id), state.get(id) ?? '');
  choose($('sort'), state.get('sort') ?? 'newest');
  $('warnings').checked = state.has('warnings');
  if (address() !== selected) select();
  const key = state.get('video');
  const video = key === null ? -1 : shown.findIndex(video => video.key === key);
  if (video >= 0) viewer.show(video);
  else viewer.hide();
}

function choose(control, value) {
  control.value = value;
  if (control.selectedIndex < 0) control.selectedIndex = 0;
}

function changed() {
  history.replaceState(null, '', address());
  select();
}

function offer(control, all, values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  control.append(make('option', { value: '', textContent: all }));
  for (const [value, times] of [...counts].sort(([a], [b]) => a.localeCompare(b))) {
    if (value) control.append(make('option', { value, textContent: `${value} (${count(times)})` }));
  }
  control.hidden = counts.size < 2;
}

// What the page says of itself.

function introduce() {
  const size = page.videos.reduce((sum, video) => sum + video.size, 0);
  const dates = page.videos.map(video => video.date).filter(Boolean).sort((a, b) => a - b);
  const period = dates.length ? [day.formatRange(dates[0] * 1000, dates.at(-1) * 1000)] : [];
  $('summary').textContent = page.videos.length ? [...period, bytes(size)].join(' · ') : '';
  $('origin').textContent = `Made on ${time(minute, page.made_at)} from ${page.archive_url} by seedance-archiver ${page.version}.`
    + (page.unreadable ? ` Receipts that could not be read: ${count(page.unreadable)}.` : '');
  $('empty').firstElementChild.textContent = page.videos.length
    ? 'No video matches.'
    : 'There is no video in this archive yet.';
  $('clear').hidden = page.videos.length === 0;
  $('warnings').parentElement.hidden = page.videos.every(video => video.faults.length === 0);
  warn();
}

const ended = () => page.links_until !== undefined && Date.now() / 1000 >= page.links_until;

function warn() {
  if (page.links_until === undefined) return;
  const until = time(minute, page.links_until);
  $('notice').hidden = false;
  $('notice').classList.toggle('ended', ended());
  $('notice').textContent = ended()
    ? `The links of this page ended on ${until}. Make the page again to see the videos.`
    : `The links of this page work until ${until}${page.links_may_end_sooner ? ' at the latest, and no longer than the session that signed them' : ''}. Whoever has the page can see the videos until then.`;
}
