// Receipts and task records are untrusted. Insert their text only as text, never as HTML.
'use strict';

const page = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);

/** Creates an element with properties and children. Strings become text nodes. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter(child => child !== null));
  return element;
}

// Formatting of numbers and times.

const count = number => number.toLocaleString();
const videos = number => `${count(number)} ${number === 1 ? 'video' : 'videos'}`;
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
// A receipt may have a time that no `Date` represents: it is unknown.
const known = seconds => Math.abs(seconds) <= 8.64e12 ? seconds : 0;
const time = (format, seconds) => known(seconds) ? format.format(new Date(seconds * 1000)) : '';

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

// Facts about each video, for search and sorting.

// The names of a video and of its last frame follow the bytes: a `video.` may be an image or a model.
const file = (video, prefix, type) => video.files.find(file => file.name.startsWith(prefix) && file.type?.startsWith(type));

for (const video of page.videos) {
  video.key = `${video.account}/${video.id}`;
  video.searchText = [video.id, video.model, video.prompt ?? '', video.account, video.draft_task_id ?? '', video.draft ? 'draft' : ''].join('\n').toLowerCase();
  video.date = known(video.created) || known(video.archived);
  video.size = video.files.reduce((sum, file) => sum + file.size, 0);
  video.videoFile = file(video, 'video.', 'video/');
  video.lastFrame = file(video, 'last_frame.', 'image/') ?? file(video, 'video.', 'image/');
  const [width, height] = (video.ratio ?? '').split(':').map(Number);
  video.tall = height > width;
  video.warnings = [...video.warnings ?? []];
  for (const { checks = [] } of video.files) {
    for (const [name, result, expected, found] of checks) {
      if (result !== 'passed') video.warnings.push(expected ? `${name}: expected ${expected}, found ${found}` : `${name}: ${found}`);
    }
  }
}

// Drafts and the videos made from them, if this page has both.
const byKey = new Map(page.videos.map(video => [video.key, video]));
for (const video of page.videos) video.finals = [];
for (const video of page.videos) {
  video.madeFrom = video.draft_task_id && byKey.get(`${video.account}/${video.draft_task_id}`);
  if (video.madeFrom) video.madeFrom.finals.push(video);
}

const orders = {
  newest: (a, b) => b.date - a.date,
  oldest: (a, b) => a.date - b.date,
  largest: (a, b) => b.size - a.size,
  smallest: (a, b) => a.size - b.size,
};

// Filters. The URL fragment holds their state, so that it can be bookmarked and shared.

let shown = page.videos;
let selectedFragment = null;

function select() {
  selectedFragment = fragment();
  const words = $('q').value.toLowerCase().split(/\s+/).filter(Boolean);
  const [model, account, onlyWarnings] = [$('model').value, $('account').value, $('warnings').checked];
  shown = page.videos
    .filter(video => (!model || video.model === model)
      && (!account || video.account === account)
      && (!onlyWarnings || video.warnings.length > 0)
      && words.every(word => video.searchText.includes(word)))
    .sort(orders[$('sort').value]);
  $('count').textContent = shown.length === page.videos.length
    ? videos(shown.length)
    : `${count(shown.length)} of ${videos(page.videos.length)}`;
  $('empty').hidden = shown.length > 0;
  grid.reset();
}

function fragment(key) {
  const state = new URLSearchParams();
  for (const id of ['q', 'model', 'account']) {
    if ($(id).value) state.set(id, $(id).value);
  }
  if ($('warnings').checked) state.set('warnings', '1');
  if ($('sort').value !== 'newest') state.set('sort', $('sort').value);
  if (key) state.set('video', key);
  return `#${state}`;
}

/** Applies the state in the URL fragment: on load, and when the user navigates or edits the URL. */
function restore() {
  const state = new URLSearchParams(location.hash.slice(1));
  $('q').value = state.get('q') ?? '';
  for (const id of ['model', 'account']) setSelected($(id), state.get(id) ?? '');
  setSelected($('sort'), state.get('sort') ?? 'newest');
  $('warnings').checked = state.has('warnings');
  if (fragment() !== selectedFragment) select();
  const key = state.get('video');
  const video = key === null ? -1 : shown.findIndex(video => video.key === key);
  if (video >= 0) viewer.show(video);
  else viewer.hide();
}

function setSelected(control, value) {
  control.value = value;
  if (control.selectedIndex < 0) control.selectedIndex = 0;
}

function onFilterChange() {
  history.replaceState(null, '', fragment());
  select();
}

function addOptions(control, all, values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  control.append(make('option', { value: '', textContent: all }));
  for (const [value, uses] of [...counts].sort(([a], [b]) => a.localeCompare(b))) {
    if (value) control.append(make('option', { value, textContent: `${value} (${count(uses)})` }));
  }
  control.hidden = counts.size < 2;
}

// Summary, notices and footer.

function showSummary() {
  const size = page.videos.reduce((sum, video) => sum + video.size, 0);
  const dates = page.videos.map(video => video.date).filter(Boolean).sort((a, b) => a - b);
  const period = dates.length ? [day.formatRange(dates[0] * 1000, dates.at(-1) * 1000)] : [];
  $('summary').textContent = page.videos.length ? [...period, bytes(size)].join(' · ') : '';
  $('origin').textContent = `Created on ${time(minute, page.created_at)} from ${page.archive_url} by seedance-archiver ${page.version}.`
    + (page.unreadable ? ` Unreadable receipts: ${count(page.unreadable)}.` : '');
  $('empty').firstElementChild.textContent = page.videos.length
    ? 'No videos match the filters.'
    : 'This archive has no videos yet.';
  $('clear').hidden = page.videos.length === 0;
  $('warnings').parentElement.hidden = page.videos.every(video => video.warnings.length === 0);
  showExpiry();
}

const linksExpired = () => page.links_until !== undefined && Date.now() / 1000 >= page.links_until;

function showExpiry() {
  if (page.links_until === undefined) return;
  const until = time(minute, page.links_until);
  $('notice').hidden = false;
  $('notice').classList.toggle('expired', linksExpired());
  $('notice').textContent = linksExpired()
    ? `The links on this page expired on ${until}. Create the page again to view the videos.`
    : `The links on this page expire on ${until}${page.links_may_end_sooner ? ', or earlier with the session that signed them' : ''}. Anyone with the page can view the videos until then.`;
}
