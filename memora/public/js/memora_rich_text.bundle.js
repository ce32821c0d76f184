// The editor for texts. The Desk loads it when it needs it: frappe.require("memora_rich_text.bundle.js").
import { ask_formula } from "./rich_text/dialogs";
import { mount } from "./rich_text/mount";

frappe.provide("memora.rich_text");
memora.rich_text.mount = mount;
memora.rich_text.ask_formula = ask_formula;
