// What the Desk's scripts find on the page. Frappe publishes no types of its own.
declare const frappe: any;
declare const memora: any;
declare const cur_frm: any;
declare const $: any;
declare function __(text: string, replace?: unknown[] | null, context?: string): string;
declare function cint(value: unknown): number;

interface Window {
	cur_frm?: any;
}
