// The dialog of a document's history. The Desk loads it when it needs it: memora.history.show (history/open.js).
import { HistoryDialog } from "./history/dialog";

frappe.provide("memora.history");
memora.history.show_loaded = (options) => new HistoryDialog(options);
