var _yt_player={};(function(g){var window=this;
// A player script of our own in the shape that yt-dlp's solver reads: an address object with "alr", a signature put
// in order when it is made, and "n" rewritten when it is written out. What it computes is known to the site beside it.
var about={signatureTimestamp:20412};
var turn={
  back:function(list){list.reverse()},
  cut:function(list,count){list.splice(0,count)},
  swap:function(list,place){var first=list[0];list[0]=list[place%list.length];list[place%list.length]=first}
};
var sign=function(text){var list=text.split("");turn.back(list);turn.cut(list,3);turn.swap(list,17);return list.join("")};
var pace=function(text){var list=text.split("");turn.swap(list,5);turn.back(list);return "ok-"+list.join("")};
g.Address=function(text){this.text=text;this.query={}};
g.Address.prototype.set=function(name,value){this.query[name]=value};
g.Address.prototype.get=function(name){return this.query[name]};
g.Address.prototype.write=function(){if(this.query.n)this.query.n=pace(this.query.n);return this.text};
g.made=function(text,name,signature){
  var address=new g.Address(text);
  address.set("alr","yes");
  if(signature)address.set(name,encodeURIComponent(sign(decodeURIComponent(signature))));
  return address};
window.onload();
})(_yt_player);
