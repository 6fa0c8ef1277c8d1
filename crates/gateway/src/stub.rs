#![allow(dead_code, missing_docs)]
pub(crate) mod stream { use omniroute_domain::StreamEvent; use bytes::BytesMut;
 pub struct Decoder; impl Decoder { pub fn new()->Self{Self} pub fn push(&mut self,_d:&[u8])->Vec<StreamEvent>{vec![]} pub fn finish(&mut self)->Vec<StreamEvent>{vec![]} }
 pub struct EncoderOptions { pub id:String, pub model:String, pub created:u64, pub include_usage: bool }
 pub struct Encoder; impl Encoder { pub fn new(_:EncoderOptions)->Self{Self} pub fn push(&mut self,_:&StreamEvent,_:&mut BytesMut){} pub fn finish(&mut self,_:&mut BytesMut){} } }
pub(crate) mod fold { use omniroute_domain::*; pub fn fold(_:impl IntoIterator<Item=StreamEvent>)->Result<ChatResponse,Fault>{Err(Fault::new(FaultKind::Internal,"x","x"))} }
pub(crate) mod unfold { use omniroute_domain::*; pub fn events(_:&ChatResponse)->Vec<StreamEvent>{vec![]} }
pub(crate) mod reply { use omniroute_domain::*; pub fn decode(_:&[u8])->Result<ChatResponse,String>{Err(String::new())} pub fn encode(_:&ChatResponse)->(Vec<u8>,Vec<Loss>){(vec![],vec![])} }
